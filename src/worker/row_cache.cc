#include "worker/row_cache.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "base/hash.h"
#include "base/limits.h"

namespace longtail {
namespace {

// How memory is shared out. An index of 8 bytes for each 48 is three quarters full at most when
// there is a record for each 64 bytes: about as many as fit in what is left, with rows of 6 floats.
constexpr std::size_t kBytesPerSlot = 48;
constexpr std::size_t kBytesPerCounter = 16;

constexpr std::size_t kPrefetchAhead = 8;

// A stamp is a step and, in its low bits, the number of the pull in it. Pulls of one step beyond
// the last number are told apart no more: of their rows those that arrive last are kept.
constexpr int kOrderBits = 20;
constexpr std::uint64_t kOrderMax = (std::uint64_t{1} << kOrderBits) - 1;

std::uint64_t StepOf(RowCache::Stamp stamp) {
  return static_cast<std::uint64_t>(stamp) >> kOrderBits;
}

// Unlike in the tables, the same key may be there twice: in two tables.
std::uint64_t HashOf(TableId table, Key key) {
  return Mix64(key + static_cast<std::uint64_t>(table) * 0x9E3779B97F4A7C15U);
}

std::size_t RingWords(std::size_t bytes) {
  const std::size_t others =
      bytes / kBytesPerSlot * sizeof(std::uint64_t) + bytes / kBytesPerCounter;
  return (bytes - others) / sizeof(std::uint64_t);
}

}  // namespace

struct RowCache::Record {
  Key key = 0;
  Stamp stamp{};
  std::uint32_t lag = 0;  // How many steps fewer than the stamp's the row had applied.
  std::uint32_t count = 0;
  std::uint16_t table = 0;
  std::uint16_t dim = 0;
  std::uint32_t has_count = 0;

  std::size_t words() const {
    return (sizeof(Record) + dim * sizeof(float) + sizeof(std::uint64_t) - 1) /
           sizeof(std::uint64_t);
  }
  std::uint64_t applied() const { return StepOf(stamp) - lag; }
};

RowCache::RowCache(const Options& options)
    : options_(options),
      sketch_(options.bytes / kBytesPerCounter),
      slots_(options.bytes / kBytesPerSlot, 0),
      ring_(RingWords(options.bytes)),
      moved_((sizeof(Record) + kRowDimMax * sizeof(float)) / sizeof(std::uint64_t)) {
  static_assert(sizeof(Record) == 32);
  static_assert(kRowDimMax <= std::numeric_limits<std::uint16_t>::max());
  static_assert(kTableCountMax <= std::numeric_limits<std::uint16_t>::max());
  static_assert(kRowCacheBytesMax / sizeof(std::uint64_t) <
                std::numeric_limits<std::uint32_t>::max());
  LONGTAIL_CHECK(options.bytes >= kRowCacheBytesMin);
  LONGTAIL_CHECK(options.bytes <= kRowCacheBytesMax);
}

std::size_t RowCache::bytes() const {
  return ring_.used() * sizeof(std::uint64_t) + slots_.size() * sizeof(std::uint64_t) +
         sketch_.bytes();
}

RowCache::Stamp RowCache::BeginPull(std::uint64_t step) {
  const auto newest = static_cast<std::uint64_t>(newest_);
  const std::uint64_t first = step << kOrderBits;
  LONGTAIL_CHECK(step >= StepOf(newest_));
  newest_ = static_cast<Stamp>(first > newest ? first : std::min(newest + 1, first | kOrderMax));
  return newest_;
}

RowCache::Record RowCache::Read(std::size_t place) const {
  Record record;
  std::memcpy(static_cast<void*>(&record), ring_.At(place), sizeof(record));
  return record;
}

void RowCache::Write(std::size_t place, const Record& record, const float* row) {
  std::uint64_t* const to = ring_.At(place);
  std::memcpy(to, &record, sizeof(record));
  std::memcpy(to + sizeof(record) / sizeof(*to), row, record.dim * sizeof(float));
}

bool RowCache::IsServed(const Record& record, std::uint64_t step) const {
  const std::uint64_t fetched = StepOf(record.stamp);
  return step <= fetched || step - fetched <= options_.steps;
}

std::size_t RowCache::HomeOf(std::uint64_t slot) const {
  return static_cast<std::size_t>(((slot >> 32) * slots_.size()) >> 32);
}

std::size_t RowCache::PlaceIn(std::size_t slot) const {
  return static_cast<std::size_t>(slots_[slot] & 0xFFFFFFFFU) - 1;
}

std::size_t RowCache::FindSlot(std::uint64_t hash, TableId table, Key key) const {
  for (std::size_t slot = HomeOf(hash); slots_[slot] != 0; slot = After(slot)) {
    if (slots_[slot] >> 32 != hash >> 32) continue;
    const Record record = Read(PlaceIn(slot));
    if (record.key == key && TableId{record.table} == table) return slot;
  }
  return kNone;
}

void RowCache::FillSlot(std::uint64_t hash, std::size_t place) {
  std::size_t slot = HomeOf(hash);
  while (slots_[slot] != 0) slot = After(slot);
  slots_[slot] = (hash >> 32 << 32) | (place + 1);
}

// Those behind move up, so that a search may end at the first empty slot.
void RowCache::ClearSlot(std::size_t slot) {
  for (std::size_t from = After(slot); slots_[from] != 0; from = After(from)) {
    const std::size_t home = HomeOf(slots_[from]);
    const bool is_between = slot < from ? slot < home && home <= from : slot < home || home <= from;
    if (is_between) continue;  // A search for it begins behind the gap.
    slots_[slot] = slots_[from];
    slot = from;
  }
  slots_[slot] = 0;
}

std::uint64_t RowCache::Find(const Keys& of, Stamp pull, std::span<float> rows,
                             std::span<std::uint32_t> counts, std::vector<std::uint32_t>& missed) {
  const std::size_t n = of.keys.size();
  const std::uint64_t step = StepOf(pull);
  std::uint64_t applied = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t i = 0; i < n; ++i) {
    if (i + kPrefetchAhead < n) {
      const std::uint64_t ahead = HashOf(of.table, of.keys[i + kPrefetchAhead]);
      __builtin_prefetch(slots_.data() + HomeOf(ahead));
    }
    const std::uint64_t hash = HashOf(of.table, of.keys[i]);
    sketch_.Add(hash);
    const std::size_t slot = FindSlot(hash, of.table, of.keys[i]);
    const Record record = slot == kNone ? Record{} : Read(PlaceIn(slot));
    const bool has_all = counts.empty() || record.has_count != 0;
    if (slot == kNone || !has_all || !IsServed(record, step)) {
      missed.push_back(static_cast<std::uint32_t>(i));
      ++missed_;
      continue;
    }
    LONGTAIL_CHECK(record.dim == of.dim);
    std::memcpy(rows.data() + i * of.dim,
                ring_.At(PlaceIn(slot)) + sizeof(Record) / sizeof(std::uint64_t),
                of.dim * sizeof(float));
    if (!counts.empty()) counts[i] = record.count;
    applied = std::min(applied, record.applied());
    ++served_;
  }
  return applied;
}

void RowCache::Put(const Keys& of, Stamp pull, std::uint64_t applied, std::span<const float> rows,
                   std::span<const std::uint32_t> counts) {
  const std::uint64_t step = StepOf(pull);
  constexpr std::uint64_t kLagMax = std::numeric_limits<std::uint32_t>::max();
  Record record{
      .key = 0,
      .stamp = pull,
      .lag = static_cast<std::uint32_t>(std::min(step - std::min(step, applied), kLagMax)),
      .count = 0,
      .table = static_cast<std::uint16_t>(of.table),
      .dim = static_cast<std::uint16_t>(of.dim),
      .has_count = counts.empty() ? 0U : 1U};
  if (!IsServed(record, StepOf(newest_))) return;
  for (std::size_t i = 0; i < of.keys.size(); ++i) {
    record.key = of.keys[i];
    record.count = counts.empty() ? 0 : counts[i];
    const float* const row = rows.data() + i * of.dim;
    const std::uint64_t hash = HashOf(of.table, record.key);
    const std::size_t slot = FindSlot(hash, of.table, record.key);
    if (slot != kNone) {
      if (Read(PlaceIn(slot)).stamp <= pull) Write(PlaceIn(slot), record, row);
    } else if (MakeRoom(record.words(), sketch_.Count(hash))) {
      const std::size_t place = ring_.Add(record.words());
      Write(place, record, row);
      FillSlot(hash, place);
    }
  }
}

// Room for a row that was asked for so often; false if another one deserves it.
bool RowCache::MakeRoom(std::size_t words, std::uint32_t frequency) {
  if (words > ring_.size()) return false;
  const std::size_t records_max = slots_.size() / 4 * 3;  // A search must find an empty slot soon.
  while (ring_.record_count() >= records_max || !ring_.Fits(words)) {
    const Record oldest = Read(ring_.oldest());
    const TableId table{oldest.table};
    const std::uint64_t hash = HashOf(table, oldest.key);
    const std::size_t slot = FindSlot(hash, table, oldest.key);
    LONGTAIL_CHECK(slot != kNone);
    const std::uint32_t its = sketch_.Count(hash);
    if (its > frequency || (its == frequency && IsServed(oldest, StepOf(newest_)))) {
      Renew(oldest, slot);
      return false;
    }
    ClearSlot(slot);
    ring_.DropOldest(oldest.words());
    ++evicted_;
  }
  return true;
}

// The oldest becomes the newest. It has room: where it lay and the gap before it are free.
void RowCache::Renew(const Record& record, std::size_t slot) {
  const std::size_t words = record.words();
  std::memcpy(moved_.data(), ring_.At(ring_.oldest()), words * sizeof(std::uint64_t));
  ring_.DropOldest(words);
  const std::size_t place = ring_.Add(words);
  std::memcpy(ring_.At(place), moved_.data(), words * sizeof(std::uint64_t));
  slots_[slot] = (slots_[slot] >> 32 << 32) | (place + 1);
}

}  // namespace longtail
