#include "serving/serving_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace longtail {
namespace serving {
namespace {

constexpr unsigned kCheckThreadsMax = 256;

}  // namespace

absl::Status Validate(const ServingOptions& options) {
  if (options.check_threads < 1 || options.check_threads > kCheckThreadsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("check_threads ", options.check_threads, ": want 1..", kCheckThreadsMax));
  }
  if (options.look_every.count() < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("look_every ", options.look_every.count(), " ms: want 0 or more"));
  }
  return absl::OkStatus();
}

absl::Status CheckSpec(const std::string& what, const TableSpec& spec,
                       std::span<const TableSpec> wanted) {
  const auto want = std::ranges::find(wanted, spec.name, &TableSpec::name);
  if (want == wanted.end() || *want == spec) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      what, ": table '", spec.name, "' of dim ", spec.dim, " with spec ",
      absl::Hex(Fingerprint(spec), absl::kZeroPad16), ": want dim ", want->dim, " and spec ",
      absl::Hex(Fingerprint(*want), absl::kZeroPad16), ", which this program serves"));
}

}  // namespace serving

ServingTable::ServingTable(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ServingTable::~ServingTable() = default;

absl::StatusOr<std::shared_ptr<const ServingTable>> ServingTable::Open(
    const std::string& rows_path, const std::string& changes_path, const ServingOptions& options) {
  LONGTAIL_RETURN_IF_ERROR(serving::Validate(options));
  LONGTAIL_ASSIGN_OR_RETURN(std::shared_ptr<const serving::ServingFile> rows,
                            serving::ServingFile::Open(rows_path, options));
  LONGTAIL_RETURN_IF_ERROR(serving::CheckSpec(rows_path, rows->header().spec, options.tables));
  std::shared_ptr<const serving::ServingFile> changes;
  if (!changes_path.empty()) {
    LONGTAIL_ASSIGN_OR_RETURN(changes, serving::ServingFile::Open(changes_path, options));
  }
  LONGTAIL_ASSIGN_OR_RETURN(serving::TableReader reader,
                            serving::TableReader::Make(std::move(rows), std::move(changes)));
  return std::shared_ptr<const ServingTable>(
      new ServingTable(std::make_unique<Impl>(std::move(reader))));
}

absl::StatusOr<std::size_t> ServingTable::Lookup(std::span<const Key> keys, std::span<float> rows,
                                                 UnseenKeys unseen,
                                                 std::span<std::uint8_t> found) const {
  return impl_->reader.Lookup(keys, rows, unseen, found);
}

const TableSpec& ServingTable::spec() const {
  return impl_->reader.spec();
}

std::uint64_t ServingTable::step() const {
  const auto& changes = impl_->reader.changes();
  return changes != nullptr ? changes->header().step : impl_->reader.rows()->header().step;
}

std::uint64_t ServingTable::rows() const {
  return impl_->reader.rows()->header().rows;
}

std::uint64_t ServingTable::changed() const {
  const auto& changes = impl_->reader.changes();
  return changes != nullptr ? changes->header().rows : 0;
}

std::uint64_t ServingTable::gone() const {
  const auto& changes = impl_->reader.changes();
  return changes != nullptr ? changes->header().gone : 0;
}

std::uint64_t ServingTable::mapped_bytes() const {
  const auto& changes = impl_->reader.changes();
  return impl_->reader.rows()->header().bytes + (changes != nullptr ? changes->header().bytes : 0);
}

std::uint64_t ServingTable::damaged_blocks() const {
  const auto& changes = impl_->reader.changes();
  return impl_->reader.rows()->damaged_blocks() +
         (changes != nullptr ? changes->damaged_blocks() : 0);
}

}  // namespace longtail
