// The bytes on wire and disk do not change: what was written once is read for ever.
#include <catch2/catch.hpp>
#include <string>

#include "base/bytes.h"
#include "golden/hex.h"
#include "protocol/coordinator_state.h"
#include "protocol/manifest.h"
#include "protocol/sample_messages.h"
#include "protocol/sample_stored.h"
#include "protocol/snapshot_body.h"
#include "protocol/snapshot_format.h"
#include "protocol/spec_codec.h"
#include "protocol/trainer_blob.h"
#include "protocol/wire.h"

namespace longtail {
namespace {

std::string Golden(const std::string& name) {
  const std::string text = test::FileText(std::string(LONGTAIL_GOLDEN_DIR) + "/" + name);
  INFO(name);
  REQUIRE_FALSE(text.empty());
  return name.ends_with(".hex") ? test::BytesOfHex(text) : text;
}

TEST_CASE("a message of each kind has the bytes it always had", "[protocol][golden]") {
  std::vector<test::NamedMessage> samples = test::SampleMessages();
  for (test::NamedMessage& sample : test::SampleCounts()) samples.push_back(std::move(sample));
  for (const test::NamedMessage& sample : samples) {
    CAPTURE(sample.name);
    const std::string golden = Golden(sample.name + ".hex");

    const absl::StatusOr<Message> decoded = Decode(AsBytes(golden));
    std::string frame;
    Encode(sample.message, frame);

    INFO(decoded.status().ToString());
    REQUIRE(decoded.ok());
    CHECK(test::InWords(*decoded) == test::InWords(sample.message));
    CHECK(test::HexOfBytes(frame) == test::HexOfBytes(golden));
  }
}

TEST_CASE("a spec of the second version has the bytes it always had", "[protocol][golden]") {
  const std::string golden = Golden("table_spec_2.hex");

  const absl::StatusOr<TableSpec> decoded = DecodeTableSpec(AsBytes(golden));

  INFO(decoded.status().ToString());
  REQUIRE(decoded.ok());
  CHECK(*decoded == test::SampleLaterSpec());
  CHECK(test::HexOfBytes(EncodeTableSpec(test::SampleLaterSpec())) == test::HexOfBytes(golden));
}

TEST_CASE("a spec of the third version, of counts, has the bytes it always had",
          "[protocol][golden]") {
  const std::string golden = Golden("table_spec_3.hex");

  const absl::StatusOr<TableSpec> decoded = DecodeTableSpec(AsBytes(golden));

  INFO(decoded.status().ToString());
  REQUIRE(decoded.ok());
  CHECK(*decoded == test::SampleCountSpec());
  CHECK(test::HexOfBytes(EncodeTableSpec(test::SampleCountSpec())) == test::HexOfBytes(golden));
}

TEST_CASE("a body with rows of counts has the bytes it always had", "[protocol][golden]") {
  const std::string golden = Golden("snapshot_counts_body.hex");
  SnapshotChunk chunk;
  chunk.header = test::SampleCountChunk().header;

  const absl::Status status = DecodeSnapshotBody("golden", AsBytes(golden), chunk);

  INFO(status.ToString());
  REQUIRE(status.ok());
  CHECK(test::InWords(chunk) == test::InWords(test::SampleCountChunk()));
  CHECK(test::HexOfBytes(EncodeSnapshotBody(test::SampleCountChunk())) == test::HexOfBytes(golden));
}

TEST_CASE("a snapshot's body has the bytes it always had", "[protocol][golden]") {
  const std::string golden = Golden("snapshot_body.hex");
  SnapshotChunk chunk;

  const absl::Status status = DecodeSnapshotBody("golden", AsBytes(golden), chunk);
  chunk.header = test::SampleChunk().header;

  INFO(status.ToString());
  REQUIRE(status.ok());
  CHECK(test::InWords(chunk) == test::InWords(test::SampleChunk()));
  CHECK(test::HexOfBytes(EncodeSnapshotBody(test::SampleChunk())) == test::HexOfBytes(golden));
}

TEST_CASE("an increment's body has the bytes it always had", "[protocol][golden]") {
  const std::string golden = Golden("snapshot_increment_body.hex");
  SnapshotChunk chunk;
  chunk.header = test::SampleIncrementChunk().header;

  const absl::Status status = DecodeSnapshotBody("golden", AsBytes(golden), chunk);

  INFO(status.ToString());
  REQUIRE(status.ok());
  CHECK(test::InWords(chunk) == test::InWords(test::SampleIncrementChunk()));
  CHECK(test::HexOfBytes(EncodeSnapshotBody(test::SampleIncrementChunk())) ==
        test::HexOfBytes(golden));
}

TEST_CASE("a chunk of an increment is read", "[protocol][golden]") {
  const auto chunk = ReadSnapshotChunk("golden", AsBytes(Golden("snapshot_increment.hex")));

  INFO(chunk.status().ToString());
  REQUIRE(chunk.ok());
  CHECK(test::InWords(*chunk) == test::InWords(test::SampleIncrementChunk()));
}

TEST_CASE("blobs of the first version are read", "[protocol][golden]") {
  const std::string chunk_blob = Golden("snapshot_chunk.hex");
  const std::string trainer_blob = Golden("trainer_blob.hex");

  const auto chunk = ReadSnapshotChunk("golden", AsBytes(chunk_blob));
  const auto state = DecodeTrainerBlob("golden", AsBytes(trainer_blob));

  INFO(chunk.status().ToString());
  REQUIRE(chunk.ok());
  CHECK(test::InWords(*chunk) == test::InWords(test::SampleChunk()));
  CHECK(state.value() == test::SampleTrainerState());
}

TEST_CASE("a coordinator's state of the first version has the bytes it always had",
          "[protocol][golden]") {
  const std::string golden = Golden("coordinator_state.hex");

  const auto state = DecodeCoordinatorState("golden", AsBytes(golden));

  INFO(state.status().ToString());
  REQUIRE(state.ok());
  CHECK(*state == test::SampleCoordinatorState());
  CHECK(test::HexOfBytes(EncodeCoordinatorState(*state)) == test::HexOfBytes(golden));
}

TEST_CASE("a manifest of the first version is read", "[protocol][golden]") {
  const std::string golden = Golden("manifest.json");

  const auto manifest = DecodeManifest("golden", golden);

  INFO(manifest.status().ToString());
  REQUIRE(manifest.ok());
  CHECK(test::InWords(*manifest) == test::InWords(test::SampleManifest()));
  CHECK(EncodeManifest(test::SampleManifest()) == golden);
}

TEST_CASE("a manifest of the second version is read", "[protocol][golden]") {
  const std::string golden = Golden("manifest_2.json");

  const auto manifest = DecodeManifest("golden", golden);

  INFO(manifest.status().ToString());
  REQUIRE(manifest.ok());
  CHECK(test::InWords(*manifest) == test::InWords(test::SampleIncrementManifest()));
  CHECK(EncodeManifest(test::SampleIncrementManifest()) == golden);
}

}  // namespace
}  // namespace longtail
