#include "examples/topics/number_file.h"

#include <xxhash.h>

#include <bit>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace longtail::examples {
namespace {

static_assert(std::endian::native == std::endian::little);
constexpr std::string_view kMagic = "LTTOPIC1";

}  // namespace

absl::Status WriteNumberFile(const std::string& path,
                             std::span<const std::span<const std::uint32_t>> arrays) {
  std::vector<std::uint64_t> head = {arrays.size()};
  std::size_t numbers = 0;
  for (const auto& array : arrays) {
    head.push_back(array.size());
    numbers += array.size();
  }
  std::string bytes(kMagic);
  bytes.reserve(bytes.size() + 8 * (head.size() + 1) + 4 * numbers);
  const auto append = [&](const void* data, std::size_t size) {
    bytes.append(static_cast<const char*>(data), size);
  };
  append(head.data(), 8 * head.size());
  for (const auto& array : arrays) append(array.data(), array.size_bytes());
  const std::uint64_t checksum = XXH3_64bits(bytes.data(), bytes.size());
  append(&checksum, 8);
  const std::string written = path + ".part";
  std::ofstream file(written, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  std::error_code error;
  if (file) std::filesystem::rename(written, path, error);
  if (file && !error) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("'", path, "': cannot be written; is the disk full?"));
}

absl::StatusOr<std::vector<std::vector<std::uint32_t>>> ReadNumberFile(const std::string& path,
                                                                       std::size_t array_count) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return absl::NotFoundError(absl::StrCat("'", path, "': cannot be opened"));
  std::string bytes(static_cast<std::size_t>(file.tellg()), '\0');
  file.seekg(0);
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const auto damaged = [&](std::string_view what) {
    return absl::DataLossError(absl::StrCat("'", path, "': ", std::string(what)));
  };
  const std::size_t head_size = kMagic.size() + 8 * (array_count + 1);
  if (!file || bytes.size() < head_size + 8 || !bytes.starts_with(kMagic)) {
    return damaged("is cut short or no file of topics: wanted one that begins with LTTOPIC1");
  }
  const auto number_at = [&](std::size_t offset) {
    std::uint64_t number = 0;
    std::memcpy(&number, bytes.data() + offset, 8);
    return number;
  };
  if (number_at(bytes.size() - 8) != XXH3_64bits(bytes.data(), bytes.size() - 8)) {
    return damaged("is damaged: its checksum is wrong");
  }
  std::vector<std::vector<std::uint32_t>> arrays;
  std::size_t offset = head_size;
  for (std::size_t i = 0; i < array_count; ++i) {
    const std::uint64_t size = number_at(kMagic.size() + 8 * (i + 1));
    if (size > (bytes.size() - 8 - offset) / 4) return damaged("claims more than it has");
    std::vector<std::uint32_t>& array = arrays.emplace_back(size);
    if (size > 0) std::memcpy(array.data(), bytes.data() + offset, 4 * size);
    offset += 4 * size;
  }
  if (number_at(kMagic.size()) != array_count || offset != bytes.size() - 8) {
    return damaged(absl::StrCat("wanted ", array_count, " arrays and nothing else"));
  }
  return arrays;
}

}  // namespace longtail::examples
