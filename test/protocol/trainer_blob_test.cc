#include "protocol/trainer_blob.h"

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstring>
#include <string>

#include "base/bytes.h"
#include "protocol/blob_envelope.h"
#include "protocol/format_limits.h"
#include "protocol/sample_stored.h"

namespace longtail {
namespace {

constexpr BlobEnvelope kEnvelope{kTrainerBlobMagic, kTrainerBlobVersion, kTrainerBlobHeaderBytes};

bool Mentions(const absl::Status& status, const std::string& text) {
  return std::string(status.message()).find(text) != std::string::npos;
}

TEST_CASE("a trainer's state comes back to the byte", "[protocol][trainer_blob]") {
  const std::string payload = GENERATE(
      values<std::string>({"", "x", test::SampleTrainerState(), std::string(500'000, 'r')}));

  const absl::StatusOr<std::string> blob = EncodeTrainerBlob(payload);

  REQUIRE(blob.ok());
  CHECK(DecodeTrainerBlob("t", AsBytes(*blob)).value() == payload);
}

TEST_CASE("a trainer's state cut short or flipped anywhere is refused by name",
          "[protocol][trainer_blob]") {
  const std::string blob = EncodeTrainerBlob(test::SampleTrainerState()).value();
  for (std::size_t i = 0; i < blob.size(); ++i) {
    CAPTURE(i);
    std::string flipped = blob;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x20);
    const absl::Status cut = DecodeTrainerBlob("t-1", AsBytes(blob.substr(0, i))).status();
    const absl::Status damaged = DecodeTrainerBlob("t-1", AsBytes(flipped)).status();
    CHECK(absl::IsDataLoss(cut));
    CHECK_FALSE(damaged.ok());
    CHECK(Mentions(damaged, "'t-1'"));
    CHECK(Mentions(damaged, "at byte"));
  }
  CHECK(absl::IsDataLoss(DecodeTrainerBlob("t-1", AsBytes(blob + "x")).status()));
}

TEST_CASE("a trainer's state that is foreign, newer or a bomb is refused",
          "[protocol][trainer_blob]") {
  const std::string blob = EncodeTrainerBlob(std::string(100, 'p')).value();
  std::string newer = blob;
  newer[8] = 2;
  std::string bomb = blob;
  const std::uint64_t huge = kTrainerBlobBytesMax + 1;
  std::memcpy(bomb.data() + 16, &huge, sizeof(huge));
  Seal(kEnvelope, bomb);
  std::string wrong_size = blob;
  wrong_size[16] = 99;
  Seal(kEnvelope, wrong_size);

  CHECK(Mentions(DecodeTrainerBlob("t", AsBytes("PK\3\4 an archive of another kind, longer"
                                                " than the header"))
                     .status(),
                 "foreign"));
  CHECK(Mentions(DecodeTrainerBlob("t", AsBytes(newer)).status(), "version 2 at byte 8 is newer"));
  CHECK(Mentions(DecodeTrainerBlob("t", AsBytes(bomb)).status(), "payload size 1073741825"));
  CHECK(Mentions(DecodeTrainerBlob("t", AsBytes(wrong_size)).status(), "99 bytes"));
}

}  // namespace
}  // namespace longtail
