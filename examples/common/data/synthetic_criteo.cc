#include "examples/common/data/synthetic_criteo.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "examples/common/data/counter_random.h"
#include "examples/common/data/feature_key.h"

namespace longtail::examples {
namespace {

constexpr double kNumberCentre = 2.5;   // About the mean of log(1 + integer).
constexpr double kNumberScale = 1.5;    // Standard deviation of the normal an integer is made of.
constexpr double kNumberLogMean = 2.0;  // Its mean.
constexpr std::uint64_t kGenerateChunk = 1024;
constexpr std::size_t kIdDigits = 8;

// Streams of random numbers; each starts far from the others.
enum class Purpose : std::uint64_t { kExample, kEffect, kLatent, kModel };

std::uint64_t StreamOf(std::uint64_t seed, Purpose purpose, std::uint64_t number) {
  return RandomStream(RandomStream(seed, static_cast<std::uint64_t>(purpose)), number);
}

// Near to a standard normal number: the sum of four uniform ones of 16 bits, to variance 1.
double NormalOf(std::uint64_t bits) {
  const std::uint64_t sum =
      (bits & 0xFFFF) + ((bits >> 16) & 0xFFFF) + ((bits >> 32) & 0xFFFF) + (bits >> 48);
  return ((static_cast<double>(sum) + 2) / 65536 - 2) * std::sqrt(3.0);
}

// Eight hexadecimal digits for a rank: multiplying by an odd number is a bijection of 32 bits.
void WriteId(std::uint64_t rank, std::array<char, kIdDigits>& text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  auto id = static_cast<std::uint32_t>(rank) * 2654435761U;
  for (std::size_t i = kIdDigits; i > 0; --i, id >>= 4) text[i - 1] = kDigits[id & 15];
}

absl::Status Wrong(const char* option, double value, const std::string& wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat("synthetic data: ", option, " ", value, ": wanted ", wanted));
}

float NumberOf(std::uint64_t integer) {
  return static_cast<float>(std::log1p(static_cast<double>(integer)));
}

}  // namespace

absl::Status Validate(const SyntheticOptions& options) {
  if (options.field_count < 1 || options.field_count > kSyntheticFieldsMax) {
    return Wrong("field_count", options.field_count, absl::StrCat("1..", kSyntheticFieldsMax));
  }
  if (options.ids_per_field < 1 || options.ids_per_field > kSyntheticIdsMax) {
    return Wrong("ids_per_field", static_cast<double>(options.ids_per_field),
                 absl::StrCat("1..", kSyntheticIdsMax));
  }
  if (!(options.zipf_exponent > 0 && options.zipf_exponent <= 8)) {
    return Wrong("zipf_exponent", options.zipf_exponent, "above 0, at most 8");
  }
  if (!(options.missing_rate >= 0 && options.missing_rate <= 1)) {
    return Wrong("missing_rate", options.missing_rate, "0..1");
  }
  if (options.pair_count > 0 && options.field_count < 2) {
    return Wrong("pair_count", options.pair_count, "0 with a single field");
  }
  const std::array<std::pair<const char*, double>, 4> scales = {
      {{"bias", options.bias},
       {"field_scale", options.field_scale},
       {"pair_scale", options.pair_scale},
       {"numeric_scale", options.numeric_scale}}};
  for (const auto& [name, value] : scales) {
    if (!std::isfinite(value)) return Wrong(name, value, "a finite number");
  }
  return absl::OkStatus();
}

// One example, with the parts of both its forms. A rank of 0 is a missing id.
struct SyntheticCriteo::Row {
  std::vector<Key> keys;
  std::vector<std::uint64_t> ranks;
  std::array<std::uint64_t, kSyntheticNumbers> integers{};
  std::array<bool, kSyntheticNumbers> has_integer{};
  std::array<float, kSyntheticNumbers> numbers{};  // log(1 + integer), or 0 if it is missing.
  double probability = 0;
  float label = 0;
};

SyntheticCriteo::SyntheticCriteo(const SyntheticOptions& options)
    : options_(options), zipf_(options.ids_per_field, options.zipf_exponent) {
  for (std::size_t j = 0; j < kSyntheticNumbers; ++j) {
    layout_.numeric_names.push_back(absl::StrCat("I", j + 1));
    weights_[j] =
        options.numeric_scale * NormalOf(RandomBits(StreamOf(options.seed, Purpose::kModel, 0), j));
  }
  for (std::uint32_t f = 0; f < options.field_count; ++f) {
    layout_.field_names.push_back(absl::StrCat("C", f + 1));
    field_seeds_.push_back(FieldSeed(layout_.field_names.back()));
  }
  const std::uint64_t stream = StreamOf(options.seed, Purpose::kModel, 1);
  for (std::uint32_t p = 0; p < options.pair_count; ++p) {
    const std::size_t first = BelowOf(RandomBits(stream, 2 * p), options.field_count);
    const std::size_t step = 1 + BelowOf(RandomBits(stream, 2 * p + 1), options.field_count - 1);
    pairs_.push_back({static_cast<std::uint32_t>(first),
                      static_cast<std::uint32_t>((first + step) % options.field_count)});
  }
}

double SyntheticCriteo::Effect(Key key) const {
  return options_.field_scale * NormalOf(StreamOf(options_.seed, Purpose::kEffect, key));
}

std::array<double, kSyntheticLatentDim> SyntheticCriteo::Latent(Key key) const {
  const std::uint64_t stream = StreamOf(options_.seed, Purpose::kLatent, key);
  std::array<double, kSyntheticLatentDim> latent;
  for (std::size_t d = 0; d < latent.size(); ++d) latent[d] = NormalOf(RandomBits(stream, d));
  return latent;
}

double SyntheticCriteo::Logit(const Row& row) const {
  double logit = options_.bias;
  for (std::size_t f = 0; f < row.keys.size(); ++f) {
    if (row.ranks[f] != 0) logit += Effect(row.keys[f]);
  }
  const double pair_scale =
      options_.pair_scale / std::sqrt(static_cast<double>(kSyntheticLatentDim));
  for (const Pair& pair : pairs_) {
    if (row.ranks[pair.first] == 0 || row.ranks[pair.second] == 0) continue;
    const auto a = Latent(row.keys[pair.first]);
    const auto b = Latent(row.keys[pair.second]);
    double product = 0;
    for (std::size_t d = 0; d < a.size(); ++d) product += a[d] * b[d];
    logit += pair_scale * product;
  }
  for (std::size_t j = 0; j < kSyntheticNumbers; ++j) {
    if (row.has_integer[j]) {
      logit += weights_[j] * (double{row.numbers[j]} - kNumberCentre);
    }
  }
  return logit;
}

void SyntheticCriteo::Make(std::uint64_t i, Row& row) const {
  const std::uint64_t stream = StreamOf(options_.seed, Purpose::kExample, i);
  std::uint64_t draw = 0;
  row.keys.resize(options_.field_count);
  row.ranks.resize(options_.field_count);
  for (std::uint32_t f = 0; f < options_.field_count; ++f) {
    const bool is_missing = UnitOf(RandomBits(stream, draw++)) < options_.missing_rate;
    const std::uint64_t own_stream = RandomBits(stream, draw++);
    row.ranks[f] = is_missing ? 0 : zipf_.Draw(own_stream);
    if (is_missing) continue;
    std::array<char, kIdDigits> id;
    WriteId(row.ranks[f], id);
    row.keys[f] = FeatureKey(field_seeds_[f], std::string_view(id.data(), id.size()));
  }
  for (std::size_t j = 0; j < kSyntheticNumbers; ++j) {
    row.has_integer[j] = !(UnitOf(RandomBits(stream, draw++)) < options_.missing_rate);
    const double normal = NormalOf(RandomBits(stream, draw++));
    row.integers[j] = static_cast<std::uint64_t>(std::exp(kNumberLogMean + kNumberScale * normal));
    row.numbers[j] = row.has_integer[j] ? NumberOf(row.integers[j]) : 0.0F;
  }
  row.probability = 1 / (1 + std::exp(-Logit(row)));
  row.label = UnitOf(RandomBits(stream, draw++)) < row.probability ? 1.0F : 0.0F;
}

void SyntheticCriteo::Generate(std::uint64_t first, std::size_t count, Batch& batch,
                               std::vector<double>* probabilities) const {
  BatchWriter writer(layout_, batch);
  if (probabilities != nullptr) probabilities->clear();
  Row row;
  for (std::size_t n = 0; n < count; ++n) {
    Make(first + n, row);
    for (std::size_t j = 0; j < kSyntheticNumbers; ++j) {
      writer.AddNumeric(row.numbers[j]);
    }
    for (std::uint32_t f = 0; f < options_.field_count; ++f) {
      if (row.ranks[f] != 0) writer.AddKey(row.keys[f]);
      writer.EndField();
    }
    writer.EndExample(row.label);
    if (probabilities != nullptr) probabilities->push_back(row.probability);
  }
}

double SyntheticCriteo::TrueProbability(std::uint64_t i) const {
  Row row;
  Make(i, row);
  return row.probability;
}

absl::Status SyntheticCriteo::WriteTsv(const std::string& path, std::uint64_t first,
                                       std::uint64_t count) const {
  std::FILE* const file = std::fopen(path.c_str(), "wbe");
  bool is_good = file != nullptr;
  Row row;
  std::string text;
  for (std::uint64_t i = 0; is_good && i < count; ++i) {
    Make(first + i, row);
    text += row.label == 1.0F ? '1' : '0';
    for (std::size_t j = 0; j < kSyntheticNumbers; ++j) {
      text += '\t';
      if (row.has_integer[j]) absl::StrAppend(&text, row.integers[j]);
    }
    for (const std::uint64_t rank : row.ranks) {
      text += '\t';
      std::array<char, kIdDigits> id;
      WriteId(rank, id);
      if (rank != 0) text.append(id.data(), id.size());
    }
    text += '\n';
    if ((i + 1) % kGenerateChunk != 0 && i + 1 != count) continue;
    is_good = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    text.clear();
  }
  int reason = is_good ? 0 : errno;
  if (file != nullptr && std::fclose(file) != 0 && reason == 0) reason = errno;
  if (reason == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(path, ": cannot be written: ", std::strerror(reason)));
}

Schema SyntheticCriteo::MakeSchema(const std::string& path) const {
  Schema schema;
  schema.table = {
      .separator = "\t", .quotes = Quotes::kNone, .header = Header::kAbsent, .columns = {"label"}};
  schema.label.column = "label";
  for (const std::string& name : layout_.numeric_names) {
    FeatureSpec feature;
    feature.column = feature.field = name;
    feature.kind = FeatureKind::kNumeric;
    feature.transform = Transform::kLog1p;
    schema.table.columns.push_back(name);
    schema.features.push_back(feature);
  }
  for (const std::string& name : layout_.field_names) {
    FeatureSpec feature;
    feature.column = feature.field = name;
    schema.table.columns.push_back(name);
    schema.features.push_back(feature);
  }
  schema.splits["all"].files = {path};
  return schema;
}

absl::Status SyntheticSource::Next(std::size_t example_count_max, Batch& batch) {
  if (stop_.load()) return absl::CancelledError("synthetic data: reading was stopped");
  const std::uint64_t count = std::min<std::uint64_t>(left_, example_count_max);
  data_.Generate(next_, static_cast<std::size_t>(count), batch);
  next_ += count;
  left_ -= count;
  return absl::OkStatus();
}

BestScore BestReachable(std::vector<double> probabilities) {
  std::ranges::sort(probabilities);
  BestScore score;
  double ordered = 0;    // Expected pairs (negative, positive) in the right order; ties count half.
  double negatives = 0;  // Expected, among the probabilities below the current one.
  double positives = 0;
  std::size_t i = 0;
  while (i < probabilities.size()) {
    const double p = probabilities[i];
    std::size_t tied = 0;
    for (; i < probabilities.size() && probabilities[i] == p; ++i) ++tied;
    const auto n = static_cast<double>(tied);
    // Within a tie, pairs of different examples: an example is not a pair with itself.
    ordered += n * p * negatives + n * (n - 1) * p * (1 - p) / 2;
    negatives += n * (1 - p);
    positives += n * p;
    score.log_loss -= n * (p * std::log(p) + (1 - p) * std::log1p(-p));
  }
  double same = 0;  // An example would be positive and negative at once.
  for (const double p : probabilities) same += p * (1 - p);
  score.auc = ordered / (positives * negatives - same);
  score.log_loss /= static_cast<double>(probabilities.size());
  return score;
}

}  // namespace longtail::examples
