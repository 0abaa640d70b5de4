// Two macros that hand an error on to the caller.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

/// Returns the status that `expression` gives unless it is OK.
#define LONGTAIL_RETURN_IF_ERROR(expression)                                    \
  do {                                                                          \
    if (::absl::Status longtail_status = (expression); !longtail_status.ok()) { \
      return longtail_status;                                                   \
    }                                                                           \
  } while (false)

#define LONGTAIL_STATUS_JOIN_INNER(a, b) a##b
#define LONGTAIL_STATUS_JOIN(a, b) LONGTAIL_STATUS_JOIN_INNER(a, b)
#define LONGTAIL_ASSIGN_OR_RETURN_INNER(result, target, expression) \
  auto result = (expression);                                       \
  if (!result.ok()) return std::move(result).status();              \
  target = std::move(result).value()

/// Moves the value of the absl::StatusOr that `expression` gives to `target`, which may be a
/// declaration, or returns its status. Takes more than one statement: brace an `if` around it.
#define LONGTAIL_ASSIGN_OR_RETURN(target, expression)                                       \
  LONGTAIL_ASSIGN_OR_RETURN_INNER(LONGTAIL_STATUS_JOIN(longtail_result_, __LINE__), target, \
                                  expression)
