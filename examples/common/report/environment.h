// Where a run ran: what a reader needs to compare its numbers with others.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace longtail::examples {

/// What could not be found out is empty or 0.
struct Environment {
  std::string machine{};           ///< Architecture and host name: "x86_64 build-7".
  std::string operating_system{};  ///< Kernel and its release.
  std::string cpu_model{};         ///< As the kernel names it.
  std::uint32_t core_count = 0;    ///< Hardware threads this process may use.
  std::uint64_t memory_bytes = 0;  ///< Of the machine.
  std::string compiler{};          ///< That built this program.
  std::string build_type{};        ///< Release, RelWithDebInfo, ….
  std::string blas{};              ///< As the caller names it.
  std::string version{};           ///< Of Longtail.

  friend bool operator==(const Environment&, const Environment&) = default;
};

/// Asks the kernel and the compiler. `blas` is for the caller to know: this library uses none.
///
/// Thread: any thread.
[[nodiscard]] Environment CollectEnvironment(std::string_view blas);

}  // namespace longtail::examples
