#include "worker/key_batch_planner.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <memory>

#include "base/hash.h"
#include "base/sole_holder.h"
#include "worker/key_batch_plan.h"

namespace longtail {
namespace {

constexpr std::size_t kSlotsMin = 64;
constexpr std::size_t kPrefetchAhead = 16;

// Gives each distinct key a provisional number in order of first occurrence and counts it. The low
// bits of the hash choose the slot, the top ones the partition, so the two do not lean on each
// other.
void Deduplicate(std::span<const Key> keys, int partition_bits, KeyBatch::Plan& plan) {
  const std::size_t slot_count = std::bit_ceil(std::max(kSlotsMin, keys.size() * 2));
  const std::size_t mask = slot_count - 1;
  plan.slots.assign(slot_count, 0);
  plan.inverse.resize(keys.size());
  plan.first_keys.clear();
  plan.first_partitions.clear();
  plan.places.clear();
  std::uint32_t* const slots = plan.slots.data();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i + kPrefetchAhead < keys.size()) {
      __builtin_prefetch(slots + (Mix64(keys[i + kPrefetchAhead]) & mask), 1);
    }
    const Key key = keys[i];
    const std::uint64_t hash = Mix64(key);
    std::size_t slot = hash & mask;
    while (slots[slot] != 0 && plan.first_keys[slots[slot] - 1] != key) slot = (slot + 1) & mask;
    if (slots[slot] == 0) {
      plan.first_keys.push_back(key);
      plan.first_partitions.push_back(
          partition_bits == 0 ? 0U : static_cast<std::uint32_t>(hash >> (64 - partition_bits)));
      plan.places.push_back(0);  // Counts occurrences until the places are known.
      slots[slot] = static_cast<std::uint32_t>(plan.first_keys.size());
    }
    const std::uint32_t number = slots[slot] - 1;
    ++plan.places[number];
    plan.inverse[i] = number;
  }
}

}  // namespace

void KeyBatchPlanner::Fill(TableId table, std::uint32_t dim, std::uint32_t partition_count,
                           std::span<const Key> keys, KeyBatch& batch) {
  // A plan that a call in flight still holds is left to it.
  if (batch.plan_ == nullptr || !IsSoleHolder(batch.plan_)) {
    batch.plan_ = std::make_shared<KeyBatch::Plan>();
  }
  KeyBatch::Plan& plan = *batch.plan_;
  plan.table = table;
  plan.dim = dim;
  Deduplicate(keys, std::countr_zero(partition_count), plan);

  const std::size_t unique = plan.first_keys.size();
  plan.begins.assign(partition_count + 1, 0);
  for (const std::uint32_t partition : plan.first_partitions) ++plan.begins[partition + 1];
  for (std::size_t p = 0; p < partition_count; ++p) plan.begins[p + 1] += plan.begins[p];

  plan.keys.resize(unique);
  plan.counts.resize(unique);
  for (std::size_t number = 0; number < unique; ++number) {
    const std::uint32_t place = plan.begins[plan.first_partitions[number]]++;
    plan.keys[place] = plan.first_keys[number];
    plan.counts[place] = plan.places[number];
    plan.places[number] = place;
  }
  // Filling moved each begin to its partition's end, which is the next one's begin.
  std::copy_backward(plan.begins.begin(), plan.begins.end() - 1, plan.begins.end());
  plan.begins.front() = 0;
  for (std::uint32_t& place : plan.inverse) place = plan.places[place];
}

void KeyBatchPlanner::Select(const KeyBatch& all, std::span<const std::uint32_t> places,
                             KeyBatch& some) {
  if (some.plan_ == nullptr || !IsSoleHolder(some.plan_)) {
    some.plan_ = std::make_shared<KeyBatch::Plan>();
  }
  const KeyBatch::Plan& from = *all.plan_;
  KeyBatch::Plan& to = *some.plan_;
  to.table = from.table;
  to.dim = from.dim;
  to.keys.resize(places.size());
  to.begins.resize(from.begins.size());
  std::uint32_t i = 0;
  for (std::size_t p = 0; p < from.begins.size(); ++p) {
    for (; i < places.size() && places[i] < from.begins[p]; ++i) {
      to.keys[i] = from.keys[places[i]];
    }
    to.begins[p] = i;
  }
}

TableId KeyBatch::table() const {
  return plan_ == nullptr ? TableId{} : plan_->table;
}

std::span<const Key> KeyBatch::keys() const {
  return plan_ == nullptr ? std::span<const Key>{} : std::span<const Key>{plan_->keys};
}

std::span<const std::uint32_t> KeyBatch::counts() const {
  return plan_ == nullptr ? std::span<const std::uint32_t>{}
                          : std::span<const std::uint32_t>{plan_->counts};
}

std::span<const std::uint32_t> KeyBatch::inverse() const {
  return plan_ == nullptr ? std::span<const std::uint32_t>{}
                          : std::span<const std::uint32_t>{plan_->inverse};
}

}  // namespace longtail
