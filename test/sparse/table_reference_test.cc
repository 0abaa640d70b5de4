// A Table must do what a map of rows does, bit for bit.
//
// Method: random batches of pulls, pushes, erasures and imports go to a Table and to a
// ReferenceTable, which takes keys one by one. Keys repeat within a batch, and some gradients are
// not finite. Everything that can be read of the two is compared after each operation.
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "sparse/reference_table.h"
#include "sparse/specs.h"
#include "sparse/table.h"
#include "support/gen.h"

namespace longtail::sparse {
namespace {

bool SameBits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

class Pair {
 public:
  Pair(const TableSpec& spec, Rng& rng) : rng_(rng), table_(spec), want_(spec) {}

  void Pull() {
    const std::vector<Key> keys = SomeKeys();
    const std::size_t dim = table_.dim();
    const std::size_t stride = dim + rng_.Below(4);
    const bool has_slots = rng_.Below(2) == 0;
    std::vector<std::uint32_t> slots(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      slots[i] = static_cast<std::uint32_t>(keys.size() - 1 - i);
    }
    std::vector<float> rows(keys.size() * stride, 55);
    std::vector<std::uint32_t> counts(keys.size(), 66);

    table_.Pull(keys, {.rows = rows.data(),
                       .slots = has_slots ? slots.data() : nullptr,
                       .stride = stride,
                       .counts = counts.data()});

    for (std::size_t i = 0; i < keys.size(); ++i) {
      const std::size_t slot = has_slots ? slots[i] : i;
      const auto [weights, count] = want_.Pull(keys[i]);
      REQUIRE(SameBits(std::span(rows).subspan(slot * stride, dim), weights));
      REQUIRE(counts[slot] == count);
      for (std::size_t c = dim; c < stride; ++c) REQUIRE(rows[slot * stride + c] == 55);
    }
  }

  void Push() {
    const std::vector<Key> keys = SomeKeys();
    const std::size_t dim = table_.dim();
    const std::vector<std::uint32_t> counts =
        test::Counts(rng_, keys.size(), rng_.Below(20) == 0 ? 0xFFFFFFFF : 5);
    std::vector<float> gradients = test::Floats(rng_, keys.size() * dim, -1, 1.3F);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (rng_.Below(12) != 0) continue;
      gradients[i * dim + rng_.Below(dim)] = std::numeric_limits<float>::quiet_NaN();
    }
    const std::uint32_t step = SomeStep();
    const float scale = rng_.Uniform(0.5F, 1.5F);

    const PushResult got = table_.Push(keys, counts, gradients, step, scale);

    PushResult want;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const PushResult one =
          want_.Push(keys[i], counts[i], std::span(gradients).subspan(i * dim, dim), step, scale);
      want.created += one.created;
      want.refused_non_finite += one.refused_non_finite;
    }
    REQUIRE(got.created == want.created);
    REQUIRE(got.refused_non_finite == want.refused_non_finite);
  }

  void Erase() {
    for (const Key key : SomeKeys()) REQUIRE(table_.Erase(key) == want_.Erase(key));
  }

  void Import() {
    for (const Key key : SomeKeys()) {
      const std::vector<float> values = test::Floats(rng_, table_.value_count(), 0.1F, 2);
      const std::uint32_t count = static_cast<std::uint32_t>(rng_.Below(9));
      const std::uint32_t step = SomeStep();
      REQUIRE(table_.Import({key, count, step, values}).ok());
      want_.Import(key, {count, step, values, false});
    }
  }

  // Random operations, of ten that many pushes; all is compared after each.
  void Run(int ops, std::uint64_t pushes_of_ten) {
    for (int op = 0; op < ops; ++op) {
      const std::uint64_t choice = rng_.Below(10);
      if (choice < pushes_of_ten) {
        Push();
      } else if (choice < 8) {
        Pull();
      } else if (choice == 8) {
        Erase();
      } else {
        Import();
      }
      CompareAll();
    }
  }

  void CompareAll() const {
    REQUIRE(table_.row_count() == want_.rows().size());
    std::size_t seen = 0;
    table_.ForEachRow([&](const RowView& row) {
      ++seen;
      const auto& want = want_.rows().at(row.key);
      REQUIRE(row.count == want.count);
      REQUIRE(row.last_step == want.last_step);
      REQUIRE(SameBits(row.values, want_.ViewOf(want)));
    });
    const TableStatistics statistics = table_.Statistics();
    REQUIRE(statistics.rows_promoted == want_.promoted());
    std::uint64_t tail_rows = 0;
    for (const auto& [key, row] : want_.rows()) tail_rows += row.is_tail ? 1 : 0;
    REQUIRE(statistics.tail_rows == tail_rows);
    REQUIRE(seen == want_.rows().size());
  }

 private:
  // Up and down, and far beyond the 24 bits that a row keeps.
  std::uint32_t SomeStep() { return static_cast<std::uint32_t>(0xA0000000 + rng_.Below(1U << 24)); }
  std::vector<Key> SomeKeys() { return test::Keys(rng_, rng_.Below(80), 60); }

  Rng& rng_;
  Table table_;
  test::ReferenceTable want_;
};

TEST_CASE("a table does what a map of rows does, bit for bit", "[sparse][table]") {
  const std::size_t rule = GENERATE(range<std::size_t>(0, 7));
  const std::size_t initializer = GENERATE(range<std::size_t>(0, 4));
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 12));
  CAPTURE(rule, initializer, seed);
  Rng rng(seed * 100 + rule * 10 + initializer);
  const auto dim = static_cast<std::uint32_t>(1 + rng.Below(rng.Below(8) == 0 ? 400 : 20));
  TableSpec spec = test::SpecOf(test::Rules().at(rule), test::Initializers().at(initializer), dim);
  if (rng.Below(3) == 0) spec.optimizer = {.rule = spec.optimizer.rule};
  Pair pair(spec, rng);

  pair.Run(30, 4);
}

// Every combination of formats, tails and options by frequency, drawn at random.
TableSpec RandomSpec(Rng& rng, std::size_t rule, std::uint32_t dim) {
  TableSpec spec = test::SpecOf(test::Rules().at(rule), test::Initializers().at(rng.Below(4)), dim);
  if (rng.Below(3) == 0) spec.optimizer = {.rule = spec.optimizer.rule};
  const auto format = [&] {
    return RowFormat{.weights = static_cast<WeightFormat>(rng.Below(4)),
                     .state = static_cast<StateFormat>(rng.Below(2))};
  };
  spec.format = format();
  spec.tail.format = format();
  const bool is_adagrad = std::holds_alternative<AdagradSpec>(spec.optimizer.rule);
  if (rng.Below(3) != 0) {
    spec.tail.below = static_cast<std::uint32_t>(rng.Below(12));
    spec.tail.rowwise_state = is_adagrad && rng.Below(2) == 0;
    if (rng.Below(3) == 0) {
      spec.tail.format.weights = WeightFormat::kShared;
      spec.tail.rowwise_state = false;
      spec.tail.field_bits = static_cast<std::uint32_t>(rng.Below(4));
      spec.tail.bucket_bits = static_cast<std::uint32_t>(rng.Below(5));
    }
  }
  if (rng.Below(2) == 0) {
    FrequencySpec& frequency = spec.optimizer.frequency;
    const bool is_ftrl = std::holds_alternative<FtrlSpec>(spec.optimizer.rule);
    if (rng.Below(2) == 0) frequency.rate_power = 0.25F * static_cast<float>(rng.Below(5));
    if (rng.Below(2) == 0) frequency.rate_from = rng.Uniform(1, 9);
    if (rng.Below(2) == 0) frequency.decay_power = 0.25F * static_cast<float>(rng.Below(9)) - 1;
    if (rng.Below(2) == 0) frequency.cow_clip = rng.Uniform(0, 1);
    if (rng.Below(2) == 0) frequency.cow_clip_floor = rng.Uniform(0, 0.3F);
    if (!is_ftrl && rng.Below(2) == 0) frequency.idle_decay = 1e-7F;
    if (!is_ftrl && rng.Below(2) == 0) frequency.group_lasso = rng.Uniform(0, 0.5F);
  }
  return spec;
}

TEST_CASE("so it does in every row format, with tails and options by frequency",
          "[sparse][table]") {
  const std::size_t rule = GENERATE(range<std::size_t>(0, 7));
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 60));
  CAPTURE(rule, seed);
  Rng rng(7'000'000 + seed * 10 + rule);
  const auto dim = static_cast<std::uint32_t>(1 + rng.Below(129));
  const TableSpec spec = RandomSpec(rng, rule, dim);
  REQUIRE(Validate(spec).ok());
  Pair pair(spec, rng);

  pair.Run(24, 5);
}

}  // namespace
}  // namespace longtail::sparse
