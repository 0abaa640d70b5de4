#include "examples/common/data/line_reader.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace longtail::examples {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

LineReader::LineReader(std::string name, std::unique_ptr<ByteSource> source)
    : name_(std::move(name)), source_(std::move(source)), buffer_(kByteBufferSize) {}

absl::StatusOr<bool> LineReader::Next(std::string_view& line) {
  std::size_t scanned = begin_;
  while (true) {
    const void* const end =
        scanned < end_ ? std::memchr(buffer_.data() + scanned, '\n', end_ - scanned) : nullptr;
    const bool is_last = end == nullptr && at_end_;
    if (is_last && begin_ == end_) return false;
    if (end != nullptr || is_last) {
      const std::size_t stop =
          is_last ? end_ : static_cast<std::size_t>(static_cast<const char*>(end) - buffer_.data());
      line = std::string_view(buffer_.data() + begin_, stop - begin_);
      begin_ = is_last ? stop : stop + 1;
      break;
    }
    const std::size_t pending = end_ - begin_;
    if (pending > kLineSizeMax + 1) {
      line = std::string_view(buffer_.data() + begin_, pending);
      begin_ = end_;
      break;  // Refused below.
    }
    if (absl::Status status = Refill(); !status.ok()) return status;
    scanned = begin_ + pending;
  }
  ++line_number_;
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line_number_ == 1 && line.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    line.remove_prefix(kByteOrderMark.size());
  }
  if (line.size() > kLineSizeMax) {
    return absl::ResourceExhaustedError(absl::StrCat(name_, ":", line_number_, ":",
                                                     kLineSizeMax + 1, ": the line is too long; ",
                                                     "wanted at most ", kLineSizeMax, " bytes"));
  }
  return true;
}

absl::Status LineReader::Refill() {
  const std::size_t pending = end_ - begin_;
  if (pending > 0) std::memmove(buffer_.data(), buffer_.data() + begin_, pending);
  begin_ = 0;
  end_ = pending;
  if (pending == buffer_.size()) buffer_.resize(buffer_.size() * 2);
  const absl::StatusOr<std::size_t> count =
      source_->Read(std::span(buffer_.data() + end_, buffer_.size() - end_));
  if (!count.ok()) return count.status();
  end_ += *count;
  at_end_ = *count == 0;
  return absl::OkStatus();
}

}  // namespace longtail::examples
