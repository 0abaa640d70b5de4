#include "worker/device/cuda_library.h"

#include <dlfcn.h>

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "worker/device/kernel_list.h"

namespace longtail::device {
namespace {

// Where a component lies that was built or installed with the program; else its name alone, which
// the loader looks up.
std::string FindLibrary() {
  std::error_code ignored;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  for (const std::filesystem::path& place :
       {program.parent_path() / kCudaLibraryName,
        program.parent_path().parent_path() / "lib" / kCudaLibraryName}) {
    if (std::filesystem::exists(place, ignored)) return place.string();
  }
  return kCudaLibraryName;
}

}  // namespace

absl::StatusOr<const CudaTable*> LoadCudaLibrary(const std::string& path) {
  const std::string file = path.empty() ? FindLibrary() : path;
  void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return absl::NotFoundError(absl::StrCat("CUDA component: ", dlerror()));
  }
  void* const symbol = dlsym(library, kCudaTableName);
  if (symbol == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("'", file, "' is no CUDA component: it has no ", kCudaTableName));
  }
  const CudaTable* const table = reinterpret_cast<const CudaTable* (*)()>(symbol)();
  if (table->abi != kCudaAbi || table->fingerprint != Kernels::Fingerprint()) {
    return absl::FailedPreconditionError(
        absl::StrCat("'", file, "' is of another build: its table is ", table->abi, "/",
                     absl::Hex(table->fingerprint), ", want ", kCudaAbi, "/",
                     absl::Hex(Kernels::Fingerprint())));
  }
  return table;
}

}  // namespace longtail::device
