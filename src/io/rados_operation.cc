#include "io/rados_operation.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "protocol/checksum.h"

namespace longtail {

void RadosWrite::Replace(std::string_view data, const ObjectHeader& header) {
  const std::string attribute = EncodeObjectHeader(header);
  rados_write_op_write_full(operation_, data.data(), data.size());
  rados_write_op_setxattr(operation_, kObjectAttribute, attribute.data(), attribute.size());
}

void RadosWrite::OnlyIfOf(const std::string& holder) {
  rados_write_op_cmpxattr(operation_, kHolderAttribute, LIBRADOS_CMPXATTR_OP_EQ, holder.data(),
                          holder.size());
}

void RadosWrite::SetHolder(const std::string& holder) {
  rados_write_op_setxattr(operation_, kHolderAttribute, holder.data(), holder.size());
}

RadosRead::~RadosRead() {
  outcome_.Wait();
  if (attributes_ != nullptr) rados_getxattrs_end(attributes_);
  rados_release_read_op(operation_);
}

void RadosRead::Start(const RadosPool& pool, const std::string& object, std::span<char> out) {
  rados_read_op_getxattrs(operation_, &attributes_, &attributes_error_);
  rados_read_op_stat(operation_, &object_bytes_, nullptr, &stat_error_);
  if (!out.empty()) {
    rados_read_op_read(operation_, 0, out.size(), out.data(), &size_, &data_error_);
  }
  outcome_.Started(
      rados_aio_read_op_operate(operation_, pool.io(), outcome_.completion(), object.c_str(), 0));
}

void RadosRead::TakeAttributes() {
  if (std::exchange(has_attributes_, true)) return;
  for (;;) {
    const char* name = nullptr;
    const char* value = nullptr;
    std::size_t size = 0;
    const int error = rados_getxattrs_next(attributes_, &name, &value, &size);
    if (error < 0 || name == nullptr) return;
    if (std::string_view(name) == kObjectAttribute) header_.emplace(value, size);
    if (std::string_view(name) == kHolderAttribute) holder_.assign(value, size);
  }
}

const std::string& RadosRead::holder() {
  TakeAttributes();
  return holder_;
}

absl::StatusOr<ObjectHeader> RadosRead::Header(const std::string& what) {
  TakeAttributes();
  if (!header_) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": foreign: it has no attribute '",
                                                   kObjectAttribute,
                                                   "', so Longtail did not write it"));
  }
  return DecodeObjectHeader(absl::StrCat(what, ": attribute '", kObjectAttribute, "'"),
                            AsBytes(*header_));
}

absl::Status CheckObjectData(const std::string& what, const ObjectHeader& header,
                             std::string_view data) {
  if (data.size() != header.size()) {
    return absl::DataLossError(absl::StrCat(what, ": truncated or damaged: it has ", data.size(),
                                            " bytes: want ", header.size()));
  }
  const std::uint64_t found = Checksum(AsBytes(data));
  if (found == header.checksum) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(what, ": damaged: the checksum of its ", data.size(), " bytes (",
                   header.offset(), "..", header.offset() + data.size(), " of the blob) is ",
                   ChecksumHex(found), ": want ", ChecksumHex(header.checksum)));
}

}  // namespace longtail
