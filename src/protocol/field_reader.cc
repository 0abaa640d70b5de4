#include "protocol/field_reader.h"

#include "absl/strings/str_cat.h"
#include "protocol/format_limits.h"

namespace longtail {
namespace {

std::string ValueAndWant(std::uint64_t value, std::uint64_t low, std::uint64_t high) {
  return absl::StrCat(value, ": want ", low, "..", high);
}

}  // namespace

template <typename T>
T FieldReader::Checked(std::string_view name, std::size_t start, T value) {
  if (status_.ok() && !reader_.ok()) RefuseAt(start, name, "is cut short");
  return status_.ok() ? value : T{};
}

std::uint8_t FieldReader::U8(std::string_view name) {
  const std::size_t start = offset();
  return Checked(name, start, reader_.U8());
}

std::uint16_t FieldReader::U16(std::string_view name) {
  const std::size_t start = offset();
  return Checked(name, start, reader_.U16());
}

std::uint32_t FieldReader::U32(std::string_view name) {
  const std::size_t start = offset();
  return Checked(name, start, reader_.U32());
}

std::uint64_t FieldReader::U64(std::string_view name) {
  const std::size_t start = offset();
  return Checked(name, start, reader_.U64());
}

float FieldReader::F32(std::string_view name) {
  const std::size_t start = offset();
  return Checked(name, start, reader_.F32());
}

bool FieldReader::Flag(std::string_view name) {
  const std::size_t start = offset();
  const std::uint8_t value = U8(name);
  if (value > 1) RefuseAt(start, name, ValueAndWant(value, 0, 1));
  return ok() && value == 1;
}

std::uint32_t FieldReader::Within(std::string_view name, std::uint32_t low, std::uint32_t high) {
  const std::size_t start = offset();
  const std::uint32_t value = U32(name);
  if (value < low || value > high) RefuseAt(start, name, ValueAndWant(value, low, high));
  return ok() ? value : 0;
}

std::uint32_t FieldReader::Partition() {
  return Within("partition", 0, kPartitionCountMax - 1);
}

std::uint32_t FieldReader::Table() {
  return Within("table", 0, kTableCountMax - 1);
}

std::uint32_t FieldReader::Dim() {
  return Within("dim", 1, kRowDimMax);
}

std::uint64_t FieldReader::Step(std::string_view name) {
  const std::size_t start = offset();
  const std::uint64_t value = U64(name);
  if (value > kStepMax) RefuseAt(start, name, ValueAndWant(value, 0, kStepMax));
  return ok() ? value : 0;
}

std::uint32_t FieldReader::Count(std::string_view name, std::uint64_t count_max,
                                 std::size_t bytes_each) {
  const std::size_t start = offset();
  const std::uint32_t count = U32(name);
  if (!ok()) return 0;
  if (count > count_max) {
    RefuseAt(start, name, ValueAndWant(count, 0, count_max));
  } else if (std::uint64_t{count} * bytes_each > reader_.remaining()) {
    RefuseAt(start, name,
             absl::StrCat(count, ": needs at least ", std::uint64_t{count} * bytes_each,
                          " bytes, but ", reader_.remaining(), " remain"));
  }
  return ok() ? count : 0;
}

std::string_view FieldReader::Text(std::string_view name, std::size_t size_max) {
  return AsText(Bytes(name, Count(name, size_max, 1)));
}

std::span<const std::byte> FieldReader::Bytes(std::string_view name, std::uint64_t size) {
  const std::size_t start = offset();
  if (!ok()) return {};
  return Checked(name, start, reader_.Bytes(size));
}

void FieldReader::Refuse(std::string_view name, std::string_view problem) {
  RefuseAt(offset(), name, problem);
}

void FieldReader::End() {
  if (ok() && reader_.remaining() > 0) {
    Refuse("end", absl::StrCat("is followed by ", reader_.remaining(), " bytes: want none"));
  }
}

void FieldReader::RefuseAt(std::size_t offset, std::string_view name, std::string_view problem) {
  if (!status_.ok()) return;
  status_ = absl::InvalidArgumentError(absl::StrCat(what_, ": ", std::string(name), " ",
                                                    std::string(problem), " at byte ", offset,
                                                    " of ", size_));
}

}  // namespace longtail
