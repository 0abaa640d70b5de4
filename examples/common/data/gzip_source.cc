#include <zlib.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "examples/common/data/decompress.h"

namespace longtail::examples {
namespace {

constexpr int kWindowBitsGzip = 15 + 16;  // zlib: the largest window; a gzip header is wanted.

class GzipSource final : public ByteSource {
 public:
  GzipSource(std::string name, std::unique_ptr<ByteSource> source)
      : name_(std::move(name)), source_(std::move(source)), input_(kByteBufferSize) {
    is_ready_ = inflateInit2(&stream_, kWindowBitsGzip) == Z_OK;
  }
  ~GzipSource() override {
    if (is_ready_) inflateEnd(&stream_);
  }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;

  absl::StatusOr<std::size_t> Read(std::span<char> target) override {
    if (!is_ready_)
      return absl::ResourceExhaustedError(absl::StrCat(name_, ": no memory for zlib"));
    const std::size_t wanted =
        std::min<std::size_t>(target.size(), std::numeric_limits<uInt>::max());
    stream_.next_out = reinterpret_cast<Bytef*>(target.data());
    stream_.avail_out = static_cast<uInt>(wanted);
    while (stream_.avail_out == wanted) {
      if (absl::Status status = Refill(); !status.ok()) return status;
      if (stream_.avail_in == 0) {
        if (!in_member_) return 0;
        return absl::DataLossError(absl::StrCat(name_, ": the gzip data ends early"));
      }
      if (!in_member_) {
        inflateReset(&stream_);  // One more member: gzip files may be concatenated.
        in_member_ = true;
      }
      const int result = inflate(&stream_, Z_NO_FLUSH);
      if (result == Z_STREAM_END) {
        in_member_ = false;
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        return absl::DataLossError(absl::StrCat(
            name_, ": damaged gzip data: ", stream_.msg != nullptr ? stream_.msg : "unknown"));
      }
    }
    return wanted - stream_.avail_out;
  }

 private:
  absl::Status Refill() {
    if (stream_.avail_in != 0) return absl::OkStatus();
    const absl::StatusOr<std::size_t> count = source_->Read(input_);
    if (!count.ok()) return count.status();
    stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
    stream_.avail_in = static_cast<uInt>(*count);
    return absl::OkStatus();
  }

  const std::string name_;
  const std::unique_ptr<ByteSource> source_;
  std::vector<char> input_;
  z_stream stream_{};
  bool is_ready_ = false;
  bool in_member_ = true;
};

}  // namespace

std::unique_ptr<ByteSource> MakeGzipSource(std::string name, std::unique_ptr<ByteSource> source) {
  return std::make_unique<GzipSource>(std::move(name), std::move(source));
}

}  // namespace longtail::examples
