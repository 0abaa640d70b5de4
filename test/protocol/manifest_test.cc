#include "protocol/manifest.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

#include "base/random.h"
#include "protocol/checksum.h"
#include "protocol/format_limits.h"
#include "protocol/manifest_checksum.h"
#include "protocol/sample_messages.h"
#include "protocol/sample_stored.h"

namespace longtail {
namespace {

using nlohmann::json;

bool Mentions(const absl::Status& status, const std::string& text) {
  return std::string(status.message()).find(text) != std::string::npos;
}

json Document(const Manifest& manifest = test::SampleManifest()) {
  return json::parse(EncodeManifest(manifest));
}

// The document as text, with a checksum that fits.
std::string Sealed(json document) {
  document[std::string(kManifestChecksumField)] = ChecksumHex(ManifestChecksum(document));
  return document.dump();
}

TEST_CASE("a manifest comes back as it was written", "[protocol][manifest]") {
  const auto manifest = DecodeManifest("m", EncodeManifest(test::SampleManifest()));

  INFO(manifest.status().ToString());
  REQUIRE(manifest.ok());
  CHECK(test::InWords(*manifest) == test::InWords(test::SampleManifest()));
}

TEST_CASE("a manifest with layers is of the second version", "[protocol][manifest]") {
  const Manifest manifest = test::SampleIncrementManifest();

  const std::string bytes = EncodeManifest(manifest);

  CHECK(json::parse(bytes).at("version") == 2);
  CHECK(Document().at("version") == 1);
  CHECK(test::InWords(DecodeManifest("m", bytes).value()) == test::InWords(manifest));
  json document = json::parse(bytes);
  document["layers"][1]["checkpoint"] = "step-118";
  CHECK(Mentions(DecodeManifest("m", Sealed(document)).status(),
                 "layers[1].checkpoint: is 'step-118', as that of another one"));
  document["layers"] = json::array();
  CHECK(Mentions(DecodeManifest("m", Sealed(document)).status(), "layers: want at least one"));
}

TEST_CASE("a checkpoint saved again under its name has another identity", "[protocol][manifest]") {
  const std::uint64_t identity = CheckpointIdentity("step-1", "2024-05-06T07:08:09Z");
  CHECK(identity == CheckpointIdentity("step-1", "2024-05-06T07:08:09Z"));
  CHECK(identity != CheckpointIdentity("step-1", "2024-05-06T07:08:10Z"));
  CHECK(identity != CheckpointIdentity("step-2", "2024-05-06T07:08:09Z"));
}

TEST_CASE("a manifest names its step mode in a word", "[protocol][manifest]") {
  struct Case {
    StepMode mode;
    const char* word;
  };
  const Case wanted = GENERATE(values<Case>({{StepMode::kAsynchronous, "asynchronous"},
                                             {StepMode::kSynchronous, "synchronous"},
                                             {StepMode::kBoundedStaleness, "bounded"}}));
  Manifest manifest = test::SampleManifest();
  manifest.step_mode = wanted.mode;

  const std::string bytes = EncodeManifest(manifest);

  CHECK(json::parse(bytes).at("step_mode") == wanted.word);
  CHECK(DecodeManifest("m", bytes).value().step_mode == wanted.mode);
}

TEST_CASE("any float of a spec comes back to the bit", "[protocol][manifest][property]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 200));
  CAPTURE(seed);
  Rng rng(seed);
  Manifest manifest = test::SampleManifest();
  for (ManifestTable& table : manifest.tables) {
    const auto bits = static_cast<std::uint32_t>(rng.Next()) & 0xBFFFFFFF;  // Not infinite, no NaN.
    table.spec.optimizer.weight_decay = std::bit_cast<float>(bits);
    table.spec.initializer = UniformSpec{rng.Uniform(-1, 0), 1e-45F};
  }

  const auto decoded = DecodeManifest("m", EncodeManifest(manifest));

  INFO(decoded.status().ToString());
  REQUIRE(decoded.ok());
  CHECK(decoded->tables == manifest.tables);
}

TEST_CASE("a manifest cut short anywhere is DataLoss by name", "[protocol][manifest]") {
  const std::string text = EncodeManifest(test::SampleManifest());
  for (std::size_t size = 0; size + 2 < text.size(); ++size) {
    CAPTURE(size);
    const absl::Status status = DecodeManifest("m-1", text.substr(0, size)).status();
    CHECK(absl::IsDataLoss(status));
    CHECK(Mentions(status, "manifest 'm-1'"));
    CHECK(Mentions(status, "byte"));
  }
}

TEST_CASE("a manifest with any byte changed is refused or says the same", "[protocol][manifest]") {
  const std::string text = EncodeManifest(test::SampleManifest());
  const std::string want = test::InWords(test::SampleManifest());
  std::size_t same = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const int flip : {0x01, 0x02, 0x20}) {
      CAPTURE(i, flip);
      std::string changed = text;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      const auto manifest = DecodeManifest("m", changed);
      if (!manifest.ok()) continue;
      ++same;  // White space, or the case of a hexadecimal digit.
      REQUIRE(test::InWords(*manifest) == want);
    }
  }
  CHECK(same < text.size() / 10);
}

TEST_CASE("fields of the same version that we do not know are ignored", "[protocol][manifest]") {
  json document = Document();
  document["later"] = {{"nested", json::array({1, "two"})}};
  document["tables"][1]["optimizer"]["hint"] = 7;

  const auto manifest = DecodeManifest("m", Sealed(document));

  INFO(manifest.status().ToString());
  REQUIRE(manifest.ok());
  CHECK(test::InWords(*manifest) == test::InWords(test::SampleManifest()));
}

TEST_CASE("every missing or ill-typed field is named", "[protocol][manifest]") {
  const json document =
      Document(GENERATE(false, true) ? test::SampleIncrementManifest() : test::SampleManifest());
  const json flat = document.flatten();
  for (const auto& [path, value] : flat.items()) {
    CAPTURE(path);
    const json::json_pointer pointer(path);
    const std::string leaf = pointer.back();
    const bool is_seal = path == "/manifest_checksum";
    json missing = document;
    missing[pointer.parent_pointer()].erase(leaf);
    json wrong = document;
    wrong[pointer] = json::array({value});

    const absl::Status without =
        DecodeManifest("m", is_seal ? missing.dump() : Sealed(missing)).status();
    const absl::Status ill = DecodeManifest("m", is_seal ? wrong.dump() : Sealed(wrong)).status();

    CHECK(absl::IsInvalidArgument(without));
    CHECK(Mentions(without, leaf + ": is missing"));
    CHECK(absl::IsInvalidArgument(ill));
    CHECK(Mentions(ill, leaf + ": want"));
  }
}

TEST_CASE("a value out of its range is refused with what was wanted", "[protocol][manifest]") {
  struct Case {
    std::string path;
    json value;
    std::string says;
  };
  const Case bad = GENERATE(values<Case>({
      {"/format", "zip", "no manifest of a Longtail checkpoint"},
      {"/version", 3, "3 is newer than 2"},
      {"/version", 2, "layers: is missing"},
      {"/version", -1, "version: want a whole number"},
      {"/step", 1.5, "step: want a whole number"},
      {"/partition_count", 3, "partition_count: want a power of two"},
      {"/partition_count", 131072, "partition_count: want a whole number 1..65536"},
      {"/lanes", 0, "lanes: want"},
      {"/step_mode", "sometimes",
       "step_mode: is 'sometimes': want one of asynchronous, synchronous, bounded"},
      {"/tables", 7, "tables: want an array"},
      {"/tables/2", 7, "tables[2]: want an object"},
      {"/tables/2/id", 1, "tables[2].id: does not ascend"},
      {"/tables/2/id", 1024, "tables[2].id: want a whole number 0..1023"},
      {"/tables/2/dim", 17, "tables[2].spec_checksum: does not fit"},
      {"/tables/2/dim", 5000, "tables[2].dim: want a whole number 1..4096"},
      {"/tables/2/optimizer/rule", "magic",
       "tables[2].optimizer.rule: is 'magic': want one of sgd"},
      {"/tables/2/optimizer/epsilon", 1e300, "tables[2].optimizer.epsilon: want a number"},
      {"/tables/2/optimizer/epsilon", nullptr, "tables[2].optimizer.epsilon: want a number"},
      {"/partitions/1/partition", 4, "partitions[1].partition: want a whole number 0..3"},
      {"/blobs/0/checksum", "12", "blobs[0].checksum: want sixteen"},
      {"/blobs/0/checksum", "xyz3456789abcdef", "blobs[0].checksum: want sixteen"},
      {"/blobs/0/name", std::string(1025, 'n'), "blobs[0].name: want at most 1024"},
      {"/trainer/0/bytes", "many", "trainer[0].bytes: want"},
  }));
  json document = Document();
  document[json::json_pointer(bad.path)] = bad.value;

  const absl::Status status = DecodeManifest("m-2", Sealed(document)).status();

  INFO(bad.says << " / " << status.ToString());
  CHECK(absl::IsInvalidArgument(status));
  CHECK(Mentions(status, "manifest 'm-2': "));
  CHECK(Mentions(status, bad.says));
}

TEST_CASE("JSON that is too deep or another thing altogether is refused", "[protocol][manifest]") {
  const absl::Status deep = DecodeManifest("m", std::string(100'000, '[')).status();
  CHECK(absl::IsDataLoss(deep));
  CHECK(Mentions(deep, "nests deeper than 16"));
  CHECK_FALSE(DecodeManifest("m", "[]").ok());
  CHECK_FALSE(DecodeManifest("m", "7").ok());
  CHECK_FALSE(DecodeManifest("m", "{\"step\": 1e999}").ok());
  CHECK_FALSE(DecodeManifest("m", "{\"a\": \"\xff\xfe\"}").ok());
}

}  // namespace
}  // namespace longtail
