// What messages say of count tables.
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/count_row.h"
#include "protocol/sample_messages.h"

namespace longtail::test {
namespace {

template <typename Container>
auto Kept(Container values, std::vector<std::shared_ptr<const void>>& owners) {
  auto owner = std::make_shared<const Container>(std::move(values));
  owners.push_back(owner);
  return std::span(*owner);
}

std::span<const std::byte> KeptBytes(std::string bytes,
                                     std::vector<std::shared_ptr<const void>>& owners) {
  auto owner = std::make_shared<const std::string>(std::move(bytes));
  owners.push_back(owner);
  return AsBytes(*owner);
}

std::string SizedRows(std::uint64_t first, std::uint64_t count) {
  std::string rows;
  for (std::uint64_t i = 0; i < count; ++i)
    AppendSizedRow(AsBytes(SampleCountRow(first + i)), rows);
  return rows;
}

PullRequest SamplePull() {
  PullRequest pull;
  pull.request = 301;
  pull.epoch = 302;
  pull.step = 303;
  auto& owners = pull.owners;
  pull.sections.push_back({.partition = PartitionId{5},
                           .table = TableId{2},
                           .dim = 100'000,
                           .keys = Kept<std::vector<Key>>({304, 305}, owners),
                           .target = {},
                           .kind = TableKind::kCounts});
  pull.sections.push_back({.partition = PartitionId{5},
                           .table = TableId{1},
                           .dim = 8,
                           .keys = Kept<std::vector<Key>>({306}, owners),
                           .target = {}});
  return pull;
}

PushRequest SamplePush() {
  PushRequest push;
  push.session = SessionId{311};
  push.request = 312;
  push.epoch = 313;
  push.step = 314;
  auto& owners = push.owners;
  push.sections.push_back({.partition = PartitionId{6},
                           .table = TableId{3},
                           .dim = 100'000,
                           .sequence = 315,
                           .keys = Kept<std::vector<Key>>({316, 317}, owners),
                           .counts = {},
                           .gradients = {},
                           .kind = TableKind::kCounts,
                           .packed = KeptBytes(SizedRows(1, 2), owners)});
  push.sections.push_back({.partition = PartitionId{6},
                           .table = TableId{4},
                           .dim = 1,
                           .sequence = 315,
                           .keys = Kept<std::vector<Key>>({318}, owners),
                           .counts = Kept<std::vector<std::uint32_t>>({319}, owners),
                           .gradients = Kept<std::vector<float>>({-0.125F}, owners)});
  return push;
}

PullReply SampleReply() {
  auto owners = std::make_shared<std::vector<std::shared_ptr<const void>>>();
  PullReply reply;
  reply.request = 321;
  reply.step = 322;
  reply.epoch = 323;
  reply.values = Kept<std::vector<float>>({1.5F, -2.5F}, *owners);
  reply.packed = KeptBytes(SizedRows(1, 3), *owners);
  reply.owner = owners;
  return reply;
}

ImportRows SampleImport() {
  auto rows = std::make_shared<RowBlock>();
  rows->table = TableId{4};
  for (Key key = 331; key < 334; ++key) AppendPackedRow(key, AsBytes(SampleCountRow(key)), *rows);
  return {334, rows};
}

std::string RandomBytes(Rng& rng) {
  std::string bytes(rng.Below(50), '\0');
  for (char& byte : bytes) byte = static_cast<char>(rng.Next());
  return bytes;
}

std::vector<Key> RandomKeys(Rng& rng) {
  std::vector<Key> keys(rng.Below(10));
  for (Key& key : keys) key = rng.Next();
  return keys;
}

PartitionId RandomPartition(Rng& rng) {
  return PartitionId{static_cast<std::uint32_t>(rng.Below(65536))};
}

std::uint32_t RandomColumns(Rng& rng) {
  return static_cast<std::uint32_t>(1 + rng.Below(kCountColumnsMax));
}

}  // namespace

TableSpec SampleCountSpec() {
  return {.name = "topics", .dim = 100'000, .kind = TableKind::kCounts};
}

std::string SampleCountRow(std::uint64_t number) {
  std::vector<CountEntry> entries;
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (number % 3 == 0) entries = {{.column = 2, .count = kMost}, {.column = 99'999, .count = -3}};
  if (number % 3 == 1) entries = {{.column = 0, .count = 1}, {.column = 300, .count = 6}};
  std::string row;
  AppendCountRow(entries, SampleCountSpec().dim, row);
  return row;
}

std::vector<NamedMessage> SampleCounts() {
  return {{"pull_counts", std::make_shared<const PullRequest>(SamplePull())},
          {"push_counts", std::make_shared<const PushRequest>(SamplePush())},
          {"pull_counts_reply", SampleReply()},
          {"import_counts", SampleImport()},
          {"define_counts", DefineTable{335, SampleCountSpec()}}};
}

Message RandomCounts(Rng& rng) {
  const auto table = TableId{static_cast<std::uint32_t>(rng.Below(1024))};
  switch (rng.Below(4)) {
    case 0: {
      auto pull = std::make_shared<PullRequest>(SamplePull());
      for (PullSection& section : pull->sections) {
        section.table = table;
        section.keys = Kept(RandomKeys(rng), pull->owners);
        if (section.kind == TableKind::kCounts) section.dim = RandomColumns(rng);
      }
      return std::shared_ptr<const PullRequest>(pull);
    }
    case 1: {
      auto push = std::make_shared<PushRequest>(SamplePush());
      PushSection& section = push->sections[0];
      section.partition = RandomPartition(rng);
      section.dim = RandomColumns(rng);
      section.keys = Kept(RandomKeys(rng), push->owners);
      section.packed = KeptBytes(RandomBytes(rng), push->owners);
      return std::shared_ptr<const PushRequest>(push);
    }
    case 2: {
      PullReply reply = SampleReply();
      auto owners = std::make_shared<std::vector<std::shared_ptr<const void>>>();
      owners->push_back(reply.owner);
      reply.packed = KeptBytes(RandomBytes(rng), *owners);
      reply.owner = owners;
      return reply;
    }
    default: {
      auto rows = std::make_shared<RowBlock>();
      rows->table = table;
      for (const Key key : RandomKeys(rng)) AppendPackedRow(key, AsBytes(RandomBytes(rng)), *rows);
      return ImportRows{rng.Next(), rows};
    }
  }
}

}  // namespace longtail::test
