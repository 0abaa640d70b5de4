#include "worker/compact_builder.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/varint.h"
#include "protocol/value_codec.h"

namespace longtail {
namespace {

// Bytes of a list's keys as deltas; no more is counted once they are no fewer than as they are.
std::size_t DeltaBytes(std::span<const Key> keys) {
  std::size_t bytes = 0;
  Key before = 0;
  for (const Key key : keys) {
    bytes += VarintBytes(ZigZag(key - before));
    before = key;
    if (bytes >= keys.size_bytes()) break;
  }
  return bytes;
}

void AppendDeltas(std::span<const Key> keys, std::string& out) {
  Key before = 0;
  for (const Key key : keys) {
    AppendVarint(ZigZag(key - before), out);
    before = key;
  }
}

bool HasAllKeys(const std::vector<CompactSection>& sections) {
  return std::ranges::none_of(
      sections, [](const CompactSection& section) { return section.form == KeyForm::kDigest; });
}

}  // namespace

CompactBuilder::SentLists& CompactBuilder::SentTo(NodeId lane) {
  return sent_.try_emplace(lane, options_.sent_bytes_max).first->second;
}

void CompactBuilder::PutKeys(NodeId lane, Naming naming, Store& store,
                             std::vector<CompactSection>& sections, CompactKeys& keys) {
  SentLists& sent = SentTo(lane);
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const std::span<const Key> list = store.lists[i];
    CompactSection& section = sections[i];
    const bool is_named = options_.names_key_lists && list.size() >= options_.named_keys_min;
    if (is_named) {
      const KeyDigest digest = DigestOf(list);
      const bool was_sent = sent.Find(digest) != nullptr;
      if (was_sent && naming == Naming::kAllowed) {
        section.form = KeyForm::kDigest;
        store.digests.push_back(digest);
        ++lists_named_;
        continue;
      }
      if (!was_sent) sent.Add(digest, list.size(), {});
    }
    if (DeltaBytes(list) < list.size_bytes()) {
      section.form = is_named ? KeyForm::kKeptDeltas : KeyForm::kDeltas;
      AppendDeltas(list, store.deltas);
    } else {
      section.form = is_named ? KeyForm::kKeptPlain : KeyForm::kPlain;
      store.plain.insert(store.plain.end(), list.begin(), list.end());
    }
  }
  keys = {.plain = store.plain, .digests = store.digests, .deltas = AsBytes(store.deltas)};
}

std::shared_ptr<const CompactPull> CompactBuilder::Build(NodeId lane, const PullRequest& pull) {
  auto built = std::make_shared<BuiltPull>();
  built->request = pull.request;
  built->epoch = pull.epoch;
  built->step = pull.step;
  built->wants_counts = pull.wants_counts;
  built->values = pull.compact.value_or(WireValues::kFloat32);
  built->store.owners = pull.owners;
  built->sections.reserve(pull.sections.size());
  for (const PullSection& section : pull.sections) {
    built->sections.push_back({.partition = section.partition,
                               .table = section.table,
                               .dim = section.dim,
                               .key_count = static_cast<std::uint32_t>(section.keys.size())});
    built->store.lists.push_back(section.keys);
  }
  PutKeys(lane, Naming::kAllowed, built->store, built->sections, built->keys);
  return built;
}

std::shared_ptr<const CompactPush> CompactBuilder::Build(NodeId lane, const PushRequest& push) {
  auto built = std::make_shared<BuiltPush>();
  built->session = push.session;
  built->request = push.request;
  built->epoch = push.epoch;
  built->step = push.step;
  built->learning_rate_scale = push.learning_rate_scale;
  built->values = push.compact.value_or(WireValues::kFloat32);
  Store& store = built->store;
  store.owners = push.owners;
  built->sections.reserve(push.sections.size());
  std::size_t gradient_bytes = 0;
  bool has_counts = false;
  for (const PushSection& section : push.sections) {
    built->sections.push_back({.partition = section.partition,
                               .table = section.table,
                               .dim = section.dim,
                               .key_count = static_cast<std::uint32_t>(section.keys.size()),
                               .form = KeyForm::kPlain,
                               .sequence = section.sequence});
    store.lists.push_back(section.keys);
    gradient_bytes += section.keys.size() * PackedRowBytes(built->values, section.dim);
    has_counts |= std::ranges::any_of(section.counts, [](std::uint32_t n) { return n != 0; });
  }
  store.gradients.resize(gradient_bytes);
  std::byte* to = store.gradients.data();
  for (const PushSection& section : push.sections) {
    feedback_.Pack(built->values, section.table, section.dim, section.keys, section.gradients, to);
    to += section.keys.size() * PackedRowBytes(built->values, section.dim);
    if (!has_counts) continue;
    for (const std::uint32_t count : section.counts) AppendVarint(count, store.counts);
  }
  built->gradients = store.gradients;
  built->counts = AsBytes(store.counts);
  PutKeys(lane, Naming::kAllowed, store, built->sections, built->keys);
  return built;
}

std::shared_ptr<const CompactPull> CompactBuilder::WithAllKeys(NodeId lane,
                                                               const CompactPull& pull) {
  if (HasAllKeys(pull.sections)) return nullptr;
  SentTo(lane).Clear();
  auto built = std::make_shared<BuiltPull>();
  static_cast<CompactPull&>(*built) = pull;
  const Store& before = static_cast<const BuiltPull&>(pull).store;
  built->store.lists = before.lists;
  built->store.owners = before.owners;
  PutKeys(lane, Naming::kNone, built->store, built->sections, built->keys);
  return built;
}

std::shared_ptr<const CompactPush> CompactBuilder::WithAllKeys(
    NodeId lane, const std::shared_ptr<const CompactPush>& push) {
  if (HasAllKeys(push->sections)) return nullptr;
  SentTo(lane).Clear();
  auto built = std::make_shared<BuiltPush>();
  static_cast<CompactPush&>(*built) = *push;  // Counts and gradients stay where they are.
  built->owner = push;
  const Store& before = static_cast<const BuiltPush&>(*push).store;
  built->store.lists = before.lists;
  built->store.owners = before.owners;
  PutKeys(lane, Naming::kNone, built->store, built->sections, built->keys);
  return built;
}

}  // namespace longtail
