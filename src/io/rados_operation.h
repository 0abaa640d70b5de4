// Reads and writes of one RADOS object, several of which may be under way at once.
//
// Each is atomic: all of its steps or none. What was started is waited for when it is destroyed,
// since librados writes to its memory until then; RadosPool bounds how long that takes.
#pragma once

#include <rados/librados.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "io/rados_pool.h"
#include "protocol/object_header.h"

namespace longtail {

/// The attribute that holds an ObjectHeader.
inline constexpr const char* kObjectAttribute = "longtail";

/// The attribute that says whose the object is (rados_hold.h); most have none.
inline constexpr const char* kHolderAttribute = "longtail.holder";

/// Whether an operation was refused because the object is not as it was wanted: another version or
/// holder, there, or not there.
inline bool IsChanged(int error) {
  return error == -ERANGE || error == -EOVERFLOW || error == -EEXIST || error == -ENOENT ||
         error == -ECANCELED;
}

/// The outcome of an operation, once it is there. Thread: not safe.
class RadosOutcome {
 public:
  RadosOutcome() { rados_aio_create_completion2(nullptr, nullptr, &completion_); }
  ~RadosOutcome() {
    Wait();
    rados_aio_release(completion_);
  }
  RadosOutcome(const RadosOutcome&) = delete;
  RadosOutcome& operator=(const RadosOutcome&) = delete;

  /// What librados says, 0 or a negative number, once it is known.
  int Wait() {
    if (is_started_) rados_aio_wait_for_complete(completion_);
    if (is_started_ && error_ == 0) error_ = rados_aio_get_return_value(completion_);
    return error_;
  }

  /// Of the object after the operation, which must have succeeded. Never 0.
  std::uint64_t version() const { return rados_aio_get_version(completion_); }

  /// For who starts it: `error` is what the start said.
  void Started(int error) {
    is_started_ = error == 0;
    error_ = error;
  }
  rados_completion_t completion() const { return completion_; }

 private:
  rados_completion_t completion_ = nullptr;
  bool is_started_ = false;
  int error_ = 0;
};

/// Add steps to operation(), start it, wait. Thread: not safe.
class RadosWrite {
 public:
  RadosWrite() : operation_(rados_create_write_op()) {}
  ~RadosWrite() {
    outcome_.Wait();
    rados_release_write_op(operation_);
  }
  RadosWrite(const RadosWrite&) = delete;
  RadosWrite& operator=(const RadosWrite&) = delete;

  rados_write_op_t operation() const { return operation_; }

  /// All of it is refused unless the object is not there; has that version; is of that holder.
  void OnlyIfNew() { rados_write_op_create(operation_, LIBRADOS_CREATE_EXCLUSIVE, nullptr); }
  void OnlyIfAt(std::uint64_t version) { rados_write_op_assert_version(operation_, version); }
  void OnlyIfOf(const std::string& holder);

  /// Replaces data and header. Cost: a copy of the data.
  void Replace(std::string_view data, const ObjectHeader& header);
  void SetHolder(const std::string& holder);
  void Remove() { rados_write_op_remove(operation_); }

  void Start(const RadosPool& pool, const std::string& object) {
    outcome_.Started(rados_aio_write_op_operate(operation_, pool.io(), outcome_.completion(),
                                                object.c_str(), nullptr, 0));
  }
  int Wait() { return outcome_.Wait(); }
  std::uint64_t version() const { return outcome_.version(); }

 private:
  const rados_write_op_t operation_;
  RadosOutcome outcome_;
};

/// Reads an object's attributes and size, and data if room for some is given. Thread: not safe.
class RadosRead {
 public:
  RadosRead() : operation_(rados_create_read_op()) {}
  ~RadosRead();
  RadosRead(const RadosRead&) = delete;
  RadosRead& operator=(const RadosRead&) = delete;

  /// `out` takes the first bytes of the data and must outlive this.
  void Start(const RadosPool& pool, const std::string& object, std::span<char> out);
  int Wait() { return outcome_.Wait(); }
  std::uint64_t version() const { return outcome_.version(); }

  /// Bytes that were read into `out`.
  std::size_t size() const { return size_; }

  /// Of the object, once Wait said 0.
  std::uint64_t object_bytes() const { return object_bytes_; }

  /// Whose it is, once Wait said 0; empty: nobody's.
  const std::string& holder();

  /// `what` names the object. Once Wait said 0.
  ///
  /// Errors: InvalidArgument (no Longtail wrote it); as DecodeObjectHeader.
  absl::StatusOr<ObjectHeader> Header(const std::string& what);

 private:
  void TakeAttributes();

  const rados_read_op_t operation_;
  rados_xattrs_iter_t attributes_ = nullptr;
  int attributes_error_ = 0;
  bool has_attributes_ = false;  // Of what follows: an iterator can be walked once.
  std::optional<std::string> header_;
  std::string holder_;
  std::size_t size_ = 0;
  int data_error_ = 0;
  std::uint64_t object_bytes_ = 0;
  int stat_error_ = 0;
  RadosOutcome outcome_;  // Last: it waits for what is written into the others.
};

/// Errors: DataLoss, naming `what`, if `data` is not what the header says of it.
absl::Status CheckObjectData(const std::string& what, const ObjectHeader& header,
                             std::string_view data);

}  // namespace longtail
