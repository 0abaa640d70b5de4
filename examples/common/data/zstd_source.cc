#include <zstd.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "examples/common/data/decompress.h"

namespace longtail::examples {
namespace {

class ZstdSource final : public ByteSource {
 public:
  ZstdSource(std::string name, std::unique_ptr<ByteSource> source)
      : name_(std::move(name)),
        source_(std::move(source)),
        buffer_(kByteBufferSize),
        stream_(ZSTD_createDStream()) {}
  ~ZstdSource() override { ZSTD_freeDStream(stream_); }
  ZstdSource(const ZstdSource&) = delete;
  ZstdSource& operator=(const ZstdSource&) = delete;

  absl::StatusOr<std::size_t> Read(std::span<char> target) override {
    if (stream_ == nullptr) {
      return absl::ResourceExhaustedError(absl::StrCat(name_, ": no memory for zstd"));
    }
    ZSTD_outBuffer output{target.data(), target.size(), 0};
    while (output.pos == 0) {
      bool at_end = false;
      if (input_.pos == input_.size) {
        const absl::StatusOr<std::size_t> count = source_->Read(buffer_);
        if (!count.ok()) return count.status();
        input_ = {buffer_.data(), *count, 0};
        at_end = *count == 0;
      }
      if (at_end && !in_frame_) return 0;
      // At the end of the input there may still be output inside the decompressor.
      const std::size_t hint = ZSTD_decompressStream(stream_, &output, &input_);
      if (ZSTD_isError(hint) != 0) {
        return absl::DataLossError(
            absl::StrCat(name_, ": damaged zstd data: ", ZSTD_getErrorName(hint)));
      }
      in_frame_ = hint != 0;
      if (at_end && in_frame_ && output.pos == 0) {
        return absl::DataLossError(absl::StrCat(name_, ": the zstd data ends early"));
      }
    }
    return output.pos;
  }

 private:
  const std::string name_;
  const std::unique_ptr<ByteSource> source_;
  std::vector<char> buffer_;
  ZSTD_DStream* const stream_;
  ZSTD_inBuffer input_{};
  bool in_frame_ = true;
};

}  // namespace

std::unique_ptr<ByteSource> MakeZstdSource(std::string name, std::unique_ptr<ByteSource> source) {
  return std::make_unique<ZstdSource>(std::move(name), std::move(source));
}

}  // namespace longtail::examples
