#include "io/meta_store.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/blob_name.h"

namespace longtail {

absl::Status ValidateMetaValue(std::string_view name, std::string_view bytes) {
  LONGTAIL_RETURN_IF_ERROR(ValidateBlobName(name));
  if (bytes.size() <= kMetaBytesMax) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("value '", std::string(name), "': ", bytes.size(),
                                                 " bytes: want at most ", kMetaBytesMax));
}

}  // namespace longtail
