#include "examples/common/data/shuffler.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "memory_files.h"

namespace longtail::examples {
namespace {

using test::Equal;
using test::In;
using test::NextOf;
using test::OpenReader;
using test::SchemaOf;

// Rows with a number of their own, 0..n-1, and fields of 0..6 keys.
std::string NumberedRows(int count) {
  std::string text = "y,n,c,m\n";
  for (int i = 0; i < count; ++i) {
    absl::StrAppend(&text, i % 2, ",", i, ",", i % 7, ",");
    for (int k = 0; k < i % 7; ++k) absl::StrAppend(&text, k == 0 ? "" : "|", "t", i, "_", k);
    text += "\n";
  }
  return text;
}

std::unique_ptr<BatchSource> Rows(int count) {
  return OpenReader(SchemaOf(R"({"files": ["f"], "splits": {"all": {}}, "label": "y", "group": "c",
                                 "features": [{"column": "n", "type": "numeric"}, "c",
                                              {"column": "m", "separator": "|"}]})"),
                    "all", In({{"f", NumberedRows(count)}}));
}

std::vector<float> Order(int count, const ShuffleOptions& options) {
  Shuffler shuffler(Rows(count), options);
  return NextOf(shuffler, 1 << 20).numeric;
}

TEST_CASE("shuffling changes the order of whole examples and nothing else",
          "[examples][shuffler]") {
  const std::size_t buffer_size = GENERATE(values<std::size_t>({1, 2, 10, 499, 500, 9000}));
  CAPTURE(buffer_size);
  const Batch all = NextOf(*Rows(500), 1000);
  Shuffler shuffler(Rows(500), {.buffer_size = buffer_size, .seed = 3, .epoch = 1});

  const Batch shuffled = NextOf(shuffler, 1000);

  REQUIRE(shuffled.size == 500);
  for (std::size_t e = 0; e < shuffled.size; ++e) {
    const auto i = static_cast<std::size_t>(shuffled.numeric[e]);
    CHECK(shuffled.labels[e] == all.labels[i]);
    CHECK(shuffled.groups[e] == all.groups[i]);
    CHECK(test::KeysOf(shuffled, e, 0) == test::KeysOf(all, i, 0));
    CHECK(test::KeysOf(shuffled, e, 1) == test::KeysOf(all, i, 1));
  }
  std::vector<float> sorted = shuffled.numeric;
  std::ranges::sort(sorted);
  CHECK(sorted == all.numeric);
  CHECK((shuffled.numeric == all.numeric) == (buffer_size == 1));
}

TEST_CASE("seed and epoch decide the order, the size of batches does not", "[examples][shuffler]") {
  const ShuffleOptions options{.buffer_size = 40, .seed = 5, .epoch = 2};
  const std::vector<float> order = Order(300, options);
  CHECK(Order(300, options) == order);
  CHECK(Order(300, {.buffer_size = 40, .seed = 5, .epoch = 3}) != order);
  CHECK(Order(300, {.buffer_size = 40, .seed = 6, .epoch = 2}) != order);

  Shuffler shuffler(Rows(300), options);
  std::vector<float> pieces;
  while (true) {
    const Batch batch = NextOf(shuffler, 7);
    if (batch.size == 0) break;
    pieces.insert(pieces.end(), batch.numeric.begin(), batch.numeric.end());
  }
  CHECK(pieces == order);
}

TEST_CASE("a full shuffle gives every order of three about equally often", "[examples][shuffler]") {
  std::array<int, 27> counts{};
  for (std::uint64_t epoch = 0; epoch < 3000; ++epoch) {
    const std::vector<float> order = Order(3, {.buffer_size = 3, .seed = 9, .epoch = epoch});
    ++counts[static_cast<std::size_t>(order[0] * 9 + order[1] * 3 + order[2])];
  }

  for (const std::size_t order : std::vector<std::size_t>{5, 7, 11, 15, 19, 21}) {
    CHECK(counts[order] > 400);  // 500 wanted; the standard deviation is 20.
    CHECK(counts[order] < 600);
  }
}

TEST_CASE("a shuffle goes on where it was", "[examples][shuffler]") {
  const std::size_t batches = GENERATE(values<std::size_t>({0, 1, 4, 20, 21, 50}));
  CAPTURE(batches);
  const ShuffleOptions options{.buffer_size = 64, .seed = 1, .epoch = 8};
  Shuffler first(Rows(205), options);
  for (std::size_t i = 0; i < batches; ++i) (void)NextOf(first, 10);

  Shuffler second(Rows(205), options);
  REQUIRE(second.Skip(10 * batches).ok());

  while (true) {
    const Batch want = NextOf(first, 10);
    CHECK(Equal(NextOf(second, 10), want));
    if (want.size == 0) break;
  }
}

TEST_CASE("values travel with their keys", "[examples][shuffler]") {
  std::string text;
  for (int i = 1; i <= 50; ++i) absl::StrAppend(&text, "1 ", i, ":", i, " ", i + 100, ":1\n");
  const auto reader = [&] {
    return OpenReader(SchemaOf(R"({"format": "libsvm", "splits": {"all": {"files": ["f"]}}})"),
                      "all", In({{"f", text}}));
  };
  const Batch all = NextOf(*reader(), 100);
  Shuffler shuffler(reader(), {.buffer_size = 20, .seed = 2, .epoch = 0});

  const Batch shuffled = NextOf(shuffler, 100);

  REQUIRE(shuffled.values.size() == 100);
  for (std::size_t i = 0; i < 100; ++i) {
    const auto at = std::ranges::find(all.keys, shuffled.keys[i]) - all.keys.begin();
    CHECK(shuffled.values[i] == all.values[static_cast<std::size_t>(at)]);
  }
}

TEST_CASE("the buffer's memory stays bounded while examples of all sizes pass through it",
          "[examples][shuffler]") {
  const FeatureLayout layout{.numeric_names = {}, .field_names = {"f"}, .has_groups = false};
  ExampleStore store(layout);
  for (std::uint64_t round = 0; round < 200'000; ++round) {
    Batch batch;
    BatchWriter writer(layout, batch);
    for (std::uint64_t k = 0; k < round * 7919 % 50; ++k) writer.AddKey(k + round);
    writer.EndField();
    writer.EndExample(1);
    if (store.size() < 1000) {
      store.Add(batch, 0);
    } else {
      store.Replace(round * 31 % 1000, batch, 0);
    }
  }
  CHECK(store.byte_count() < 3'000'000);  // 1,000 examples of at most 50 keys of 8 bytes.
}

}  // namespace
}  // namespace longtail::examples
