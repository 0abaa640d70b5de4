#include "protocol/sample_messages.h"

#include <memory>
#include <utility>

#include "base/limits.h"

namespace longtail::test {
namespace {

template <typename T>
std::span<const T> Kept(std::vector<T> values, std::vector<std::shared_ptr<const void>>& owners) {
  auto owner = std::make_shared<const std::vector<T>>(std::move(values));
  owners.push_back(owner);
  return *owner;
}

PullRequest SamplePull() {
  PullRequest pull;
  pull.request = 0x1122334455667788;
  pull.epoch = 3;
  pull.step = 41;
  pull.wants_counts = true;
  pull.sections.push_back({PartitionId{5},
                           TableId{2},
                           3,
                           Kept<Key>({0xFFFFFFFFFFFFFFFF, 7, 0x0102030405060708}, pull.owners),
                           {}});
  pull.sections.push_back({PartitionId{63}, TableId{1}, 8, Kept<Key>({0}, pull.owners), {}});
  return pull;
}

PushRequest SamplePush() {
  PushRequest push;
  push.session = SessionId{0xA1B2C3D4E5F60718};
  push.request = 9;
  push.epoch = 4;
  push.step = 42;
  push.learning_rate_scale = 0.75F;
  auto& owners = push.owners;
  push.sections.push_back({PartitionId{6}, TableId{3}, 2, 100, Kept<Key>({11, 12, 13}, owners),
                           Kept<std::uint32_t>({1, 2, 3}, owners),
                           Kept<float>({0.5F, -1.5F, 2.25F, 1e-20F, -3, 4}, owners)});
  push.sections.push_back({PartitionId{6}, TableId{4}, 1, 100, Kept<Key>({14}, owners),
                           Kept<std::uint32_t>({5}, owners), Kept<float>({-0.125F}, owners)});
  return push;
}

BarrierRequest SampleBarrier() {
  return {SessionId{21}, 22, 23, 24, {{PartitionId{1}, 25}, {PartitionId{2}, 26}}};
}

PullReply SamplePullReply() {
  std::vector<std::shared_ptr<const void>> owners;
  PullReply reply;
  reply.request = 31;
  reply.step = 34;
  reply.epoch = 187;
  const auto values =
      std::make_shared<const std::vector<float>>(std::vector<float>{1.5F, -2.5F, 3});
  reply.values = *values;
  const auto counts =
      std::make_shared<const std::vector<std::uint32_t>>(std::vector<std::uint32_t>{4, 5, 6});
  reply.counts = *counts;
  owners = {values, counts};
  reply.owner = std::make_shared<const std::vector<std::shared_ptr<const void>>>(std::move(owners));
  return reply;
}

SnapshotReply SampleSnapshotReply() {
  return {81,
          absl::ResourceExhaustedError("disk full"),
          {{"step-7/p3-0.lt", 82, 83, 84}, {"step-7/p3-1.lt", 85, 86, 87}},
          {{PartitionId{3}, 88, 89, 187, true}}};
}

ImportRows SampleImportRows() {
  auto rows = std::make_shared<RowBlock>();
  rows->table = TableId{4};
  rows->value_count = 3;
  rows->keys = {91, 92};
  rows->counts = {93, 94};
  rows->last_steps = {95, 96};
  rows->values = {0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F};
  return {97, rows};
}

ServerEntry SampleServer() {
  return {.name = "server-1",
          .incarnation = 0x0102030405060708,
          .host = "host-a",
          .lanes = {{NodeId{3}, {"tcp://10.0.0.1:7001", "ipc:///run/longtail/lane-0"}},
                    {NodeId{4}, {"tcp://10.0.0.1:7002"}, ReplicaRole::kJoining}},
          .log = 0x1112131415161718};
}

ClusterMap SampleMap() {
  return {.version = 101,
          .epoch = 102,
          .step_mode = StepMode::kBoundedStaleness,
          .staleness = 107,
          .worker_count = 103,
          .lanes = {NodeId{3}, NodeId{4}},
          .lane_of = {0, 0, 1, 1},
          .tables = {SampleSpec(1), SampleSpec(2)},
          .servers = {SampleServer()},
          .cluster = 113,
          .replicas = 2,
          .lane_epochs = {115, 116},
          .rolled_back = {"step-188", 188, SessionId{189}, 194, 195}};
}

MembersReply SampleMembersReply() {
  return {.request = 104,
          .status = absl::OkStatus(),
          .waits_for = "1 of 2 servers",
          .map_version = 105,
          .epoch = 106,
          .moves_left = 116,
          .members = {{MemberKind::kServer, "server-1", 107, 108, false, 109, 110, 111, 112, 115,
                       "joins 1 lane", 185, 186, 188, 189},
                      {MemberKind::kWorker, "trainer:7", 113, 114, true, 0, 0, 0, 0, 0, "is late",
                       0, 0, 0, 0}},
          .lanes = {{NodeId{3}, 201, 202, 203}},
          .tables = {SampleStatistics()}};
}

float RandomFloat(Rng& rng) {
  return rng.Uniform(-8, 8);
}

template <typename T>
std::vector<T> RandomNumbers(Rng& rng, std::size_t n) {
  std::vector<T> values(n);
  for (T& value : values) {
    if constexpr (std::is_same_v<T, float>) {
      value = RandomFloat(rng);
    } else {
      value = static_cast<T>(rng.Next() >> rng.Below(64));
    }
  }
  return values;
}

std::string RandomText(Rng& rng, std::size_t size_max) {
  std::string text(rng.Below(size_max + 1), '\0');
  for (char& c : text) c = static_cast<char>(rng.Next());
  return text;
}

absl::Status RandomStatus(Rng& rng) {
  const auto code = static_cast<absl::StatusCode>(rng.Below(17));
  return {code, code == absl::StatusCode::kOk ? "" : RandomText(rng, 70)};
}

PartitionId RandomPartition(Rng& rng) {
  return PartitionId{static_cast<std::uint32_t>(rng.Below(65536))};
}
TableId RandomTable(Rng& rng) {
  return TableId{static_cast<std::uint32_t>(rng.Below(1024))};
}
std::uint64_t RandomStep(Rng& rng) {
  return rng.Next() >> (2 + rng.Below(62));
}
std::uint32_t Random32(Rng& rng) {
  return static_cast<std::uint32_t>(rng.Next());
}

TableSpec RandomSpec(Rng& rng) {
  TableSpec spec = SampleSpec(rng.Below(100));
  spec.name = RandomText(rng, 64);
  spec.dim = static_cast<std::uint32_t>(1 + rng.Below(4096));
  spec.seed = rng.Next();
  spec.optimizer.weight_clip = RandomFloat(rng);
  if (rng.Below(5) == 0) {
    spec.kind = TableKind::kCounts;
    spec.dim = static_cast<std::uint32_t>(1 + rng.Below(kCountColumnsMax));
  }
  if (rng.Below(2) == 0) return spec;
  const TableSpec later = SampleLaterSpec();
  if (rng.Below(2) == 0) spec.optimizer.frequency = later.optimizer.frequency;
  if (rng.Below(2) == 0) spec.format = later.format;
  if (rng.Below(2) == 0) spec.tail = {.below = 7, .rowwise_state = true};
  if (rng.Below(2) == 0) spec.eviction = later.eviction;
  return spec;
}

Message RandomPull(Rng& rng) {
  auto pull = std::make_shared<PullRequest>();
  pull->request = rng.Next();
  pull->epoch = rng.Next();
  pull->step = RandomStep(rng);
  pull->wants_counts = rng.Below(2) == 1;
  pull->sections.resize(rng.Below(5));
  for (PullSection& section : pull->sections) {
    section = {RandomPartition(rng),
               RandomTable(rng),
               static_cast<std::uint32_t>(1 + rng.Below(4096)),
               Kept(RandomNumbers<Key>(rng, rng.Below(20)), pull->owners),
               {}};
  }
  return std::shared_ptr<const PullRequest>(pull);
}

Message RandomPush(Rng& rng) {
  auto push = std::make_shared<PushRequest>();
  push->session = SessionId{rng.Next()};
  push->request = rng.Next();
  push->epoch = rng.Next();
  push->step = RandomStep(rng);
  push->learning_rate_scale = RandomFloat(rng);
  push->sections.resize(rng.Below(5));
  for (PushSection& section : push->sections) {
    const std::size_t n = rng.Below(10);
    const std::size_t dim = 1 + rng.Below(9);
    section = {RandomPartition(rng),
               RandomTable(rng),
               static_cast<std::uint32_t>(dim),
               rng.Next(),
               Kept(RandomNumbers<Key>(rng, n), push->owners),
               Kept(RandomNumbers<std::uint32_t>(rng, n), push->owners),
               Kept(RandomNumbers<float>(rng, n * dim), push->owners)};
  }
  return std::shared_ptr<const PushRequest>(push);
}

Message RandomBarrier(Rng& rng) {
  auto barrier = std::make_shared<BarrierRequest>();
  barrier->session = SessionId{rng.Next()};
  barrier->request = rng.Next();
  barrier->epoch = rng.Next();
  barrier->step = RandomStep(rng);
  barrier->sections.resize(rng.Below(70));
  for (BarrierSection& section : barrier->sections) section = {RandomPartition(rng), rng.Next()};
  return std::shared_ptr<const BarrierRequest>(barrier);
}

Message RandomPullReply(Rng& rng) {
  PullReply reply;
  reply.request = rng.Next();
  reply.status = RandomStatus(rng);
  reply.step = RandomStep(rng);
  reply.epoch = rng.Next();
  auto owners = std::make_shared<std::vector<std::shared_ptr<const void>>>();
  reply.values = Kept(RandomNumbers<float>(rng, rng.Below(50)), *owners);
  reply.counts = Kept(RandomNumbers<std::uint32_t>(rng, rng.Below(50)), *owners);
  reply.owner = owners;
  return reply;
}

Message RandomSnapshotReply(Rng& rng) {
  SnapshotReply reply{rng.Next(), RandomStatus(rng), {}, {}};
  reply.blobs.resize(rng.Below(6));
  for (SnapshotBlob& blob : reply.blobs) {
    blob = {RandomText(rng, 90), rng.Next(), rng.Next(), rng.Next()};
  }
  reply.positions.resize(rng.Below(6));
  for (PartitionPosition& p : reply.positions)
    p = {RandomPartition(rng), rng.Next(), RandomStep(rng), rng.Next(), rng.Below(2) == 0};
  return reply;
}

Message RandomImport(Rng& rng) {
  auto rows = std::make_shared<RowBlock>();
  const std::size_t n = rng.Below(20);
  rows->table = RandomTable(rng);
  rows->value_count = static_cast<std::uint32_t>(1 + rng.Below(30));
  rows->keys = RandomNumbers<Key>(rng, n);
  rows->counts = RandomNumbers<std::uint32_t>(rng, n);
  rows->last_steps = RandomNumbers<std::uint32_t>(rng, n);
  rows->values = RandomNumbers<float>(rng, n * rows->value_count);
  return ImportRows{rng.Next(), rows};
}

ServerEntry RandomServer(Rng& rng) {
  ServerEntry server;
  server.name = RandomText(rng, 64);
  server.incarnation = rng.Next();
  server.host = RandomText(rng, 256);
  server.lanes.resize(rng.Below(4));
  for (LaneEntry& lane : server.lanes) {
    lane.node = NodeId{Random32(rng)};
    lane.addresses.resize(rng.Below(5));
    for (std::string& address : lane.addresses) address = RandomText(rng, 256);
    lane.role = static_cast<ReplicaRole>(rng.Below(6));
  }
  server.log = rng.Below(2) == 0 ? 0 : rng.Next();
  server.is_drained = rng.Below(2) == 0;
  return server;
}

JoinServer RandomJoin(Rng& rng) {
  JoinServer join;
  join.request = rng.Next();
  join.server = RandomServer(rng);
  join.cluster = rng.Next();
  return join;
}

MapReply RandomMapReply(Rng& rng) {
  MapReply reply;
  reply.request = rng.Next();
  reply.status = RandomStatus(rng);
  reply.waits_for = RandomText(rng, 90);
  if (rng.Below(4) == 0) return reply;
  auto map = std::make_shared<ClusterMap>();
  map->version = rng.Next();
  map->epoch = rng.Next();
  map->cluster = rng.Next();
  map->step_mode = rng.Below(2) == 0 ? StepMode::kAsynchronous : StepMode::kSynchronous;
  map->staleness = static_cast<std::uint32_t>(rng.Below(1'000'001));
  map->worker_count = static_cast<std::uint32_t>(1 + rng.Below(4096));
  map->lanes.resize(1 + rng.Below(9));
  for (NodeId& lane : map->lanes) lane = NodeId{Random32(rng)};
  map->lane_of.resize(std::size_t{1} << rng.Below(7));
  for (std::uint32_t& lane : map->lane_of) {
    lane = static_cast<std::uint32_t>(rng.Below(map->lanes.size()));
  }
  map->tables.resize(rng.Below(3));
  for (TableSpec& spec : map->tables) spec = RandomSpec(rng);
  map->servers.resize(rng.Below(3));
  for (ServerEntry& server : map->servers) server = RandomServer(rng);
  map->replicas = static_cast<std::uint32_t>(1 + rng.Below(kReplicaCountMax));
  if (rng.Below(2) == 0) map->lane_epochs.resize(map->lanes.size());
  for (std::uint64_t& epoch : map->lane_epochs) epoch = rng.Next();
  map->rolled_back = {RandomText(rng, 64), rng.Next(), SessionId{rng.Next()}, rng.Next(),
                      rng.Next()};
  reply.map = map;
  return reply;
}

Heartbeat RandomHeartbeat(Rng& rng) {
  Heartbeat heartbeat{rng.Next(),
                      SessionId{rng.Next()},
                      RandomText(rng, 64),
                      rng.Next(),
                      rng.Next(),
                      rng.Next(),
                      rng.Next(),
                      {},
                      {}};
  heartbeat.caught_up.resize(rng.Below(4));
  for (LaneEpoch& lane : heartbeat.caught_up) lane = {NodeId{Random32(rng)}, rng.Next()};
  heartbeat.stuck.resize(rng.Below(3));
  for (StuckReplica& replica : heartbeat.stuck) {
    replica = {{NodeId{Random32(rng)}, rng.Next()}, rng.Next()};
  }
  heartbeat.rows_pulled = rng.Next();
  heartbeat.rows_pushed = rng.Next();
  heartbeat.behind_ms = rng.Next();
  heartbeat.loads.resize(rng.Below(3), {NodeId{Random32(rng)}, rng.Next(), rng.Next(), rng.Next()});
  for (std::size_t n = rng.Below(3); n > 0; --n) heartbeat.tables.push_back(RandomStatistics(rng));
  return heartbeat;
}

MembersReply RandomMembersReply(Rng& rng) {
  MembersReply reply;
  reply.request = rng.Next();
  reply.status = RandomStatus(rng);
  reply.waits_for = RandomText(rng, 90);
  reply.map_version = rng.Next();
  reply.epoch = rng.Next();
  reply.moves_left = Random32(rng);
  reply.members.resize(rng.Below(5));
  for (Member& member : reply.members) {
    member.kind = rng.Below(2) == 0 ? MemberKind::kServer : MemberKind::kWorker;
    member.name = RandomText(rng, 64);
    member.number = Random32(rng);
    member.silent_ms = rng.Next();
    member.is_late = rng.Below(2) == 0;
    member.lanes = Random32(rng);
    member.partitions = Random32(rng);
    member.rows = rng.Next();
    member.bytes = rng.Next();
    member.follows = Random32(rng);
    member.problem = RandomText(rng, 90);
    member.reads = Random32(rng);
    member.behind_ms = rng.Next();
  }
  reply.lanes.resize(rng.Below(3), {NodeId{Random32(rng)}, rng.Next(), rng.Next(), rng.Next()});
  for (std::size_t n = rng.Below(3); n > 0; --n) reply.tables.push_back(RandomStatistics(rng));
  return reply;
}

}  // namespace

TableSpec SampleSpec(std::size_t alternative) {
  const OptimizerRule rules[] = {SgdSpec{0.11F},
                                 MomentumSpec{0.12F, 0.8F, MomentumKind::kNesterov},
                                 AdagradSpec{0.13F, 0.2F, 1e-7F},
                                 RowwiseAdagradSpec{0.14F, 0.3F, 1e-6F},
                                 AdamSpec{0.15F, 0.85F, 0.95F, 1e-5F},
                                 FtrlSpec{0.16F, 1.5F, 0.01F, 0.02F}};
  const InitializerSpec initializers[] = {ConstantSpec{0.25F}, UniformSpec{-0.5F, 0.75F},
                                          NormalSpec{0.1F, 0.3F}, TruncatedNormalSpec{-0.1F, 0.4F}};
  return {.name = "user_id",
          .dim = 16,
          .optimizer = {.rule = rules[alternative % std::size(rules)],
                        .weight_decay = 0.001F,
                        .gradient_clip = 5,
                        .gradient_norm_clip = 7.5F,
                        .weight_clip = 9},
          .initializer = initializers[alternative % std::size(initializers)],
          .seed = 0x9E3779B97F4A7C15,
          .linear_columns = 1};
}

TableSpec SampleLaterSpec() {
  TableSpec spec = SampleSpec(1);
  spec.optimizer.frequency = {.rate_power = 0.5F,
                              .rate_from = 3,
                              .decay_power = -1,
                              .cow_clip = 0.25F,
                              .cow_clip_floor = 0.125F,
                              .idle_decay = 0.0625F,
                              .group_lasso = 0.75F};
  spec.format = {.weights = WeightFormat::kBfloat16, .state = StateFormat::kBfloat16};
  spec.tail = {.below = 10,
               .format = {.weights = WeightFormat::kInt8, .state = StateFormat::kBfloat16},
               .rowwise_state = false,
               .field_bits = 9,
               .bucket_bits = 6};
  spec.eviction = {.idle_steps = 2000,
                   .min_score = 3,
                   .half_life = 500,
                   .min_norm = 0.03125F,
                   .sweep_steps = 64,
                   .budget_bytes = std::uint64_t{1} << 20,
                   .budget_policy = BudgetPolicy::kEvictLowest};
  return spec;
}

std::vector<NamedMessage> SampleMessages() {
  return {
      {"pull_request", std::make_shared<const PullRequest>(SamplePull())},
      {"push_request", std::make_shared<const PushRequest>(SamplePush())},
      {"barrier_request", std::make_shared<const BarrierRequest>(SampleBarrier())},
      {"pull_reply", SamplePullReply()},
      {"acknowledgement",
       Acknowledgement{32, absl::FailedPreconditionError("epoch 2: want 3"), 33}},
      {"open_session", OpenSession{41, SessionId{42}, 43, 44, 197}},
      {"close_session", CloseSession{45, SessionId{46}}},
      {"create_table", CreateTable{51, TableId{52}, SampleSpec(1)}},
      {"statistics_request", StatisticsRequest{53, TableId{54}}},
      {"statistics_reply", StatisticsReply{61, absl::OkStatus(), SampleStatistics()}},
      {"snapshot_request", SnapshotRequest{80, "step-7/", 185, 186, true, WireValues::kInt8, 190}},
      {"snapshot_reply", SampleSnapshotReply()},
      {"import_rows", SampleImportRows()},
      {"import_step", ImportStep{98, 99}},
      {"join_server", JoinServer{120, SampleServer(), 114}},
      {"join_worker", JoinWorker{121, "trainer:7", 122, 123}},
      {"worker_place", WorkerPlace{124, absl::OkStatus(), SessionId{125}, 126, 127}},
      {"heartbeat", Heartbeat{128,
                              SessionId{129},
                              "server-1",
                              130,
                              131,
                              132,
                              133,
                              {{NodeId{3}, 162}},
                              {{{NodeId{4}, 163}, 164}},
                              183,
                              184,
                              187,
                              {{NodeId{4}, 198, 199, 200}},
                              {SampleStatistics()}}},
      {"leave_worker", LeaveWorker{134, SessionId{135}}},
      {"map_request", MapRequest{136}},
      {"map_reply",
       MapReply{137, absl::OkStatus(), "", std::make_shared<const ClusterMap>(SampleMap())}},
      {"define_table", DefineTable{138, SampleSpec(3)}},
      {"table_reply", TableReply{139, absl::OkStatus(), TableId{140}}},
      {"members_request", MembersRequest{141}},
      {"members_reply", SampleMembersReply()},
      {"enter_barrier", EnterBarrier{142, "epoch-1", 143, 144}},
      {"compact_pull", SampleCompactPull()},
      {"compact_push", SampleCompactPush()},
      {"compact_pull_reply", SampleCompactPullReply()},
      {"keys_wanted", KeysWanted{161}},
      {"follow_lane",
       FollowLane{163, NodeId{3}, "server-1", 164, 182, 165, 166, 167, 168, 169, 170, 171}},
      {"lane_entries", SampleLaneEntries()},
      {"place_lanes", PlaceLanes{180, Placing::kDrain, NodeId{181}, "server-1"}},
      {"roll_back", RollBack{191, "step-192", 192, 196}},
      {"about_request", AboutRequest{201}},
      {"about_reply", AboutReply{202, absl::OkStatus(), "server-1", "0.1.0", 203}},
  };
}

Message RandomMessage(Rng& rng) {
  if (rng.Below(10) == 0) return RandomCounts(rng);
  switch (rng.Below(std::variant_size_v<Message>)) {
    case 0:
      return RandomPull(rng);
    case 1:
      return RandomPush(rng);
    case 2:
      return RandomBarrier(rng);
    case 3:
      return RandomPullReply(rng);
    case 4:
      return Acknowledgement{rng.Next(), RandomStatus(rng), RandomStep(rng)};
    case 5:
      return OpenSession{rng.Next(), SessionId{rng.Next()}, Random32(rng), RandomStep(rng),
                         rng.Next()};
    case 6:
      return CloseSession{rng.Next(), SessionId{rng.Next()}};
    case 7:
      return CreateTable{rng.Next(), RandomTable(rng), RandomSpec(rng)};
    case 8:
      return StatisticsRequest{rng.Next(), RandomTable(rng)};
    case 9:
      return StatisticsReply{rng.Next(), RandomStatus(rng), RandomStatistics(rng)};
    case 10:
      return SnapshotRequest{rng.Next(),        RandomText(rng, 1024),
                             rng.Next(),        rng.Next(),
                             rng.Below(2) == 0, WireValues{static_cast<std::uint8_t>(rng.Below(2))},
                             rng.Next()};
    case 11:
      return RandomSnapshotReply(rng);
    case 12:
      return RandomImport(rng);
    case 13:
      return ImportStep{rng.Next(), RandomStep(rng)};
    case 14:
      return RandomJoin(rng);
    case 15:
      return JoinWorker{rng.Next(), RandomText(rng, 64), rng.Next(), Random32(rng)};
    case 16:
      return WorkerPlace{rng.Next(), RandomStatus(rng), SessionId{rng.Next()}, Random32(rng),
                         Random32(rng)};
    case 17:
      return RandomHeartbeat(rng);
    case 20:
      return RandomMapReply(rng);
    case 21:
      return DefineTable{rng.Next(), RandomSpec(rng)};
    case 22:
      return TableReply{rng.Next(), RandomStatus(rng), RandomTable(rng)};
    case 24:
      return RandomMembersReply(rng);
    case 25:
      return EnterBarrier{rng.Next(), RandomText(rng, 64), rng.Next(),
                          static_cast<std::uint32_t>(1 + rng.Below(4096))};
    case 26:
    case 27:
    case 28:
      return RandomReplication(rng);
    case 18:
    case 19:
    case 23:
      return RandomShort(rng);
    default:
      return RandomCompact(rng);
  }
}

}  // namespace longtail::test
