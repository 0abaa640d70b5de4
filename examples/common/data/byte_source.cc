#include "examples/common/data/byte_source.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "examples/common/data/decompress.h"

namespace longtail::examples {
namespace {

constexpr std::string_view kGzipMagic("\x1f\x8b", 2);
constexpr std::string_view kZstdMagic("\x28\xb5\x2f\xfd", 4);

class FileSource final : public ByteSource {
 public:
  FileSource(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}
  ~FileSource() override { std::fclose(file_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  absl::StatusOr<std::size_t> Read(std::span<char> target) override {
    const std::size_t count = std::fread(target.data(), 1, target.size(), file_);
    if (count == 0 && std::ferror(file_) != 0) {
      return absl::UnavailableError(
          absl::StrCat(path_, ": cannot be read: ", std::strerror(errno)));
    }
    return count;
  }

 private:
  const std::string path_;
  std::FILE* const file_;
};

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string bytes) : bytes_(std::move(bytes)) {}

  absl::StatusOr<std::size_t> Read(std::span<char> target) override {
    const std::size_t count = std::min(target.size(), bytes_.size() - position_);
    std::copy_n(bytes_.data() + position_, count, target.data());
    position_ += count;
    return count;
  }

 private:
  const std::string bytes_;
  std::size_t position_ = 0;
};

// Gives `prefix`, which was read ahead to look at it, before the rest of `source`.
class PrefixedSource final : public ByteSource {
 public:
  PrefixedSource(std::string prefix, std::unique_ptr<ByteSource> source)
      : prefix_(std::move(prefix)), source_(std::move(source)) {}

  absl::StatusOr<std::size_t> Read(std::span<char> target) override {
    if (position_ == prefix_.size()) return source_->Read(target);
    const std::size_t count = std::min(target.size(), prefix_.size() - position_);
    std::copy_n(prefix_.data() + position_, count, target.data());
    position_ += count;
    return count;
  }

 private:
  const std::string prefix_;
  const std::unique_ptr<ByteSource> source_;
  std::size_t position_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> Decompressed(const std::string& name,
                                                         std::unique_ptr<ByteSource> source) {
  std::string head(kZstdMagic.size(), '\0');
  std::size_t size = 0;
  while (size < head.size()) {
    const absl::StatusOr<std::size_t> count =
        source->Read(std::span(head.data() + size, head.size() - size));
    if (!count.ok()) return count.status();
    if (*count == 0) break;
    size += *count;
  }
  head.resize(size);
  const bool is_gzip = std::string_view(head).substr(0, kGzipMagic.size()) == kGzipMagic;
  const bool is_zstd = head == kZstdMagic;
  auto whole = std::make_unique<PrefixedSource>(std::move(head), std::move(source));
  if (is_gzip) return MakeGzipSource(name, std::move(whole));
  if (is_zstd) return MakeZstdSource(name, std::move(whole));
  return whole;
}

absl::StatusOr<std::unique_ptr<ByteSource>> OpenFile(const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) {
    const int reason = errno;
    const std::string message =
        absl::StrCat(path, ": cannot be opened: ", std::strerror(reason), "; wanted a data file");
    return reason == ENOENT ? absl::NotFoundError(message) : absl::UnavailableError(message);
  }
  // All readers have buffers of their own.
  std::setvbuf(file, nullptr, _IONBF, 0);
  return Decompressed(path, std::make_unique<FileSource>(path, file));
}

absl::StatusOr<std::unique_ptr<ByteSource>> OpenMemory(const std::string& name, std::string bytes) {
  return Decompressed(name, std::make_unique<MemorySource>(std::move(bytes)));
}

}  // namespace longtail::examples
