#include "protocol/spec_codec.h"

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string>

#include "base/bytes.h"
#include "protocol/sample_messages.h"
#include "protocol/spec_json.h"

namespace longtail {
namespace {

TEST_CASE("a spec with any rule and initializer comes back equal", "[protocol][spec_codec]") {
  const std::size_t alternative = GENERATE(range<std::size_t>(0, 12));
  CAPTURE(alternative);
  const TableSpec spec = test::SampleSpec(alternative);

  const absl::StatusOr<TableSpec> decoded = DecodeTableSpec(AsBytes(EncodeTableSpec(spec)));

  INFO(decoded.status().ToString());
  REQUIRE(decoded.ok());
  CHECK(*decoded == spec);
}

TEST_CASE("a spec says later fields in bytes and in JSON, and only if it has any",
          "[protocol][spec_codec]") {
  const TableSpec spec = test::SampleLaterSpec();
  const nlohmann::json object = SpecToJson(spec);
  absl::Status status;

  CHECK(DecodeTableSpec(AsBytes(EncodeTableSpec(spec))).value() == spec);
  CHECK(SpecFromJson(JsonReader("spec", object, status)) == spec);
  CHECK(status.ok());
  CHECK(object["tail"]["format"]["weights"] == "int8");
  CHECK(object["eviction"]["budget_policy"] == "evict_lowest");
  CHECK_FALSE(SpecToJson(test::SampleSpec(2)).contains("format"));
  CHECK(EncodeTableSpec(test::SampleSpec(2)).front() == 1);
}

TEST_CASE("a wrong later field is named", "[protocol][spec_codec]") {
  const std::string bytes = EncodeTableSpec(test::SampleLaterSpec());
  const std::size_t later = bytes.size() - 74;  // Where the second version goes on.
  struct Case {
    std::size_t offset;
    char byte;
    std::string says;
  };
  const Case bad = GENERATE_COPY(values<Case>({{later + 28, 5, "weights is not a known kind"},
                                               {later + 29, 2, "state is not a known kind"},
                                               {later + 34, 2, "rowwise_state is neither 0 nor 1"},
                                               {later + 73, 2, "budget_policy is not a known kind"},
                                               {later + 3, 0x7F, "rate_power"}}));
  std::string wrong = bytes;
  wrong[bad.offset] = bad.byte;
  if (bad.says == "rate_power") wrong[bad.offset - 1] = static_cast<char>(0x80);

  const absl::Status status = DecodeTableSpec(AsBytes(wrong)).status();

  INFO(bad.says << " / " << status.ToString());
  CHECK(absl::IsInvalidArgument(status));
  CHECK(std::string(status.message()).find(bad.says) != std::string::npos);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(DecodeTableSpec(AsBytes(std::string(bytes, 0, size))).ok());
  }
}

TEST_CASE("a spec cut short or with bytes after it is refused", "[protocol][spec_codec]") {
  const std::string bytes = EncodeTableSpec(test::SampleSpec(1));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(DecodeTableSpec(AsBytes(std::string(bytes, 0, size))).ok());
  }
  CHECK_FALSE(DecodeTableSpec(AsBytes(bytes + '\0')).ok());
}

TEST_CASE("a spec of counts comes back, through JSON too", "[protocol][spec_codec]") {
  TableSpec spec = test::SampleCountSpec();
  spec.dim = 1 << 20;
  std::string bytes = EncodeTableSpec(spec);
  CHECK(*DecodeTableSpec(AsBytes(bytes)) == spec);
  CHECK(bytes.front() == 3);
  CHECK(SpecToJson(spec).at("kind") == "counts");
  CHECK_FALSE(SpecToJson(test::SampleLaterSpec()).contains("kind"));

  bytes.back() = 0;
  CHECK(std::string(DecodeTableSpec(AsBytes(bytes)).status().message())
            .find("kind is 0 (weights): want version 1 or 2") != std::string::npos);
  bytes.back() = 2;
  CHECK_FALSE(DecodeTableSpec(AsBytes(bytes)).ok());
}

TEST_CASE("a wrong field of a spec is named", "[protocol][spec_codec]") {
  const std::string bytes = EncodeTableSpec(test::SampleSpec(1));
  constexpr std::size_t kAfterName = 2 + 4 + 7;  // Version, "user_id".
  const float nan = std::numeric_limits<float>::quiet_NaN();
  struct Case {
    std::size_t offset;
    std::string bytes;
    std::string says;
  };
  const Case bad = GENERATE_COPY(values<Case>({
      {0, std::string("\4", 1), "version 4"},
      {2, std::string("\x41", 1), "name 65: want 0..64"},
      {kAfterName, std::string(4, '\0'), "dim 0: want 1..4096"},
      {kAfterName + 4, std::string("\x01\x10", 2), "linear_columns 4097"},
      {kAfterName + 16, std::string("\x06", 1), "optimizer rule is not a known tag"},
      {kAfterName + 17, std::string(reinterpret_cast<const char*>(&nan), 4), "learning_rate"},
      {kAfterName + 25, std::string("\x02", 1), "kind is not a known kind"},
      {kAfterName + 42, std::string("\x04", 1), "initializer is not a known tag"},
  }));
  std::string wrong = bytes;
  wrong.replace(bad.offset, bad.bytes.size(), bad.bytes);

  const absl::Status status = DecodeTableSpec(AsBytes(wrong)).status();

  INFO(bad.says << " / " << status.ToString());
  CHECK(absl::IsInvalidArgument(status));
  CHECK(std::string(status.message()).find(bad.says) != std::string::npos);
  CHECK(std::string(status.message()).find("at byte") != std::string::npos);
}

}  // namespace
}  // namespace longtail
