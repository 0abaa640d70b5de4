// Any bytes are a serving file that answers any key, or an error; any bytes are a serving list or
// an error.
//
// A fuzzer does not guess checksums, so the same bytes are also read with fitting ones.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"
#include "protocol/blob_envelope.h"
#include "protocol/checksum.h"
#include "protocol/serving_format.h"
#include "protocol/serving_list.h"
#include "serving/serving_file.h"
#include "serving/table_reader.h"

namespace {

using longtail::AsBytes;
using longtail::AsText;
using longtail::Key;
using longtail::ServingCheck;
using longtail::UnseenKeys;
using longtail::serving::FoundRow;
using longtail::serving::ServingFile;
using longtail::serving::TableReader;

constexpr std::size_t kTailChecksumAt = 104;
constexpr std::size_t kHeaderChecksumAt = 120;
constexpr std::size_t kDirectoryAt = 88;

void Put(std::string& bytes, std::size_t at, std::uint64_t value) {
  std::memcpy(bytes.data() + at, &value, sizeof(value));
}

// With checksums of blocks, directory and header that fit, as far as there is room for them.
std::string Sealed(std::string_view text) {
  std::string bytes(text);
  if (bytes.size() < longtail::kServingFixedBytes) return bytes;
  std::uint32_t header_bytes = 0;
  std::uint32_t segments = 0;
  std::uint64_t directory = 0;
  std::memcpy(&header_bytes, bytes.data() + 12, sizeof(header_bytes));
  std::memcpy(&segments, bytes.data() + 28, sizeof(segments));
  std::memcpy(&directory, bytes.data() + kDirectoryAt, sizeof(directory));
  if (header_bytes < longtail::kServingFixedBytes || header_bytes > bytes.size()) return bytes;
  if (directory >= header_bytes && directory <= bytes.size()) {
    const std::uint64_t sums = directory + std::uint64_t{segments} * longtail::kServingSegmentBytes;
    std::uint64_t block = 0;
    for (std::uint64_t at = header_bytes; at < directory; at += longtail::kServingBlockBytes) {
      const std::uint64_t place = sums + 8 * block++;
      if (place + 8 > bytes.size()) break;
      const std::uint64_t end = std::min(at + longtail::kServingBlockBytes, directory);
      Put(bytes, place, longtail::Checksum(AsBytes(bytes).subspan(at, end - at)));
    }
    Put(bytes, kTailChecksumAt, longtail::Checksum(AsBytes(bytes).subspan(directory)));
  }
  const auto all = AsBytes(bytes);
  Put(bytes, kHeaderChecksumAt,
      longtail::Checksum(
          all.first(kHeaderChecksumAt),
          all.subspan(longtail::kServingFixedBytes, header_bytes - longtail::kServingFixedBytes)));
  return bytes;
}

void LookUp(const std::shared_ptr<const ServingFile>& file, ServingCheck check) {
  std::vector<Key> keys = {0, 7, 9, ~Key{0}};
  for (std::size_t at = 0; at + 8 <= file->bytes().size() && keys.size() < 500; at += 8) {
    Key key = 0;
    std::memcpy(&key, file->bytes().data() + at, sizeof(key));
    keys.push_back(key);
  }
  for (const Key key : keys) {
    const FoundRow found = file->Find(key, longtail::Mix64(key));
    if (found.what == FoundRow::What::kDamaged) {
      LONGTAIL_CHECK(!file->DamageError(longtail::Mix64(key)).ok());
    }
  }
  const auto reader = TableReader::Make(file, nullptr);
  if (!reader.ok()) return;
  std::vector<float> rows(keys.size() * reader->spec().dim);
  const auto found = reader->Lookup(keys, rows, UnseenKeys::kInitialValues, {});
  // What was checked whole is refused for no line; a scale that is none may still be there.
  LONGTAIL_CHECK(found.ok() || check == ServingCheck::kOnUse ||
                 file->header().values == longtail::WireValues::kInt8);
}

void Read(std::span<const std::byte> bytes) {
  std::vector<std::uint64_t> aligned((bytes.size() + 7) / 8);
  if (!bytes.empty()) std::memcpy(aligned.data(), bytes.data(), bytes.size());
  const auto copy = std::as_bytes(std::span(aligned)).first(bytes.size());
  for (const ServingCheck check : {ServingCheck::kWhole, ServingCheck::kOnUse}) {
    const auto file = ServingFile::Read("fuzz", copy, check, 1);
    if (file.ok()) LookUp(*file, check);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  Read(bytes);
  Read(AsBytes(Sealed(AsText(bytes))));
  static_cast<void>(longtail::DecodeServingList("fuzz", bytes));
  std::string list(AsText(bytes));
  if (list.size() < longtail::kServingListHeaderBytes) return 0;
  longtail::Seal({.magic = longtail::kServingListMagic,
                  .version = longtail::kServingListVersion,
                  .header_bytes = longtail::kServingListHeaderBytes},
                 list);
  if (const auto read = longtail::DecodeServingList("fuzz", AsBytes(list)); read.ok()) {
    LONGTAIL_CHECK(longtail::EncodeServingList(*read) == list);
  }
  return 0;
}
