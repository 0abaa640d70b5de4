#include "protocol/sample_stored.h"

#include <cstdint>
#include <sstream>

#include "base/bytes.h"
#include "protocol/sample_messages.h"
#include "protocol/spec_codec.h"

namespace longtail::test {
namespace {

template <typename T>
void Add(std::ostringstream& out, const std::vector<T>& values) {
  out << '[';
  for (const T& value : values) out << value << ' ';
  out << ']';
}

}  // namespace

SnapshotChunk SampleChunk() {
  SnapshotChunk chunk;
  chunk.header = {PartitionId{3}, 8, 1, true, 0x1020304050607080, 77};
  TableSpec narrow = SampleSpec(4);
  narrow.name = "item_id";
  narrow.dim = 2;
  TableSpec wide = SampleSpec(5);
  wide.dim = 1;
  chunk.tables.resize(3);
  chunk.tables[0] = {narrow,
                     {TableId{1},
                      5,
                      {11, 0xFFFFFFFFFFFFFFFF},
                      {13, 14},
                      {15, 16},
                      {0.5F, -1.5F, 2.5F, -3.5F, 4.5F, 5.5F, -6.5F, 7.5F, -8.5F, 9.5F}}};
  chunk.tables[1] = {wide, {TableId{2}, 3, {17}, {18}, {19}, {1.25F, 2.25F, 3.25F}}};
  chunk.tables[2] = {SampleSpec(0), {TableId{4}, 16, {}, {}, {}, {}}};
  chunk.sessions = {{SessionId{21}, 22, 23, 24}, {SessionId{25}, 26, 27, 28}};
  return chunk;
}

SnapshotChunk SampleCountChunk() {
  SnapshotChunk chunk;
  chunk.header = {PartitionId{3}, 8, 1, true, 0x1020304050607080, 77};
  chunk.header.is_increment = true;
  chunk.tables.resize(2);
  chunk.tables[0].spec = SampleCountSpec();
  RowBlock& rows = chunk.tables[0].rows;
  rows.table = TableId{2};
  for (Key key = 31; key < 34; ++key) AppendPackedRow(key, AsBytes(SampleCountRow(key)), rows);
  rows.counts = {7, 0, 0xFFFFFFFF};
  chunk.tables[0].gone = {101};
  chunk.tables[1] = {SampleSpec(0), {TableId{4}, 16, {}, {}, {}, {}}};
  return chunk;
}

SnapshotChunk SampleIncrementChunk() {
  SnapshotChunk chunk = SampleChunk();
  chunk.header.is_increment = true;
  chunk.header.values = WireValues::kBfloat16;
  chunk.tables[0].gone = {101, 102, 103};
  chunk.tables[0].exact_count = 1;
  chunk.tables[2].gone = {104};
  return chunk;
}

Manifest SampleIncrementManifest() {
  Manifest manifest = SampleManifest();
  manifest.partitions[0].rows = 55;
  manifest.partitions[1].rows = 56;
  manifest.partitions[1].is_increment = true;
  manifest.layers = {"step-118", "step-120"};
  return manifest;
}

Manifest SampleManifest() {
  Manifest manifest;
  manifest.created_at = "2024-05-06T07:08:09Z";
  manifest.library_version = "0.1.0";
  manifest.step = 120;
  manifest.partition_count = 4;
  manifest.lanes = 2;
  manifest.step_mode = StepMode::kSynchronous;
  manifest.worker_count = 3;
  for (std::uint32_t i = 0; i < 6; ++i) manifest.tables.push_back({TableId{i}, SampleSpec(i)});
  manifest.partitions = {{PartitionId{0}, 0xFFFFFFFFFFFFFFFE, 118}, {PartitionId{3}, 7, 119}};
  manifest.blobs = {{"step-120/p0-0.lt", 5000, 0x0123456789ABCDEF, 60},
                    {"step-120/p3-0.lt", 6000, 0xF, 61}};
  manifest.trainer = {{"dense parameters", "step-120/trainer-0.lt", 700, 0xFEDCBA9876543210}};
  return manifest;
}

CoordinatorState SampleCoordinatorState() {
  CoordinatorState state;
  state.server_count = 2;
  state.map = {.version = 3,
               .epoch = 4,
               .step_mode = StepMode::kSynchronous,
               .worker_count = 5,
               .lanes = {NodeId{1}, NodeId{2}},
               .lane_of = {0, 0, 1, 1},
               .tables = {SampleSpec(1), SampleLaterSpec()},
               .servers = {{"a", 6, "host", {{NodeId{1}, {"tcp://h:1", "ipc:///x"}}}},
                           {"b", 7, "host", {{NodeId{2}, {"tcp://h:2"}}}}}};
  state.next_session = 8;
  state.workers = {{SessionId{3}, 0, "w:1", 9}, {SessionId{7}, 4, "w:2", 10}};
  state.pending = SampleSpec(2);
  state.moves = {{NodeId{1}, "a", "b", true}, {NodeId{2}, "b", "a", false}};
  return state;
}

LaneBase SampleLaneBase() {
  LaneBase base;
  base.lane = 2;
  base.log_end = 3;
  base.time_us = 1'800'000'000'000'000;
  base.map = {.version = 4,
              .epoch = 5,
              .step_mode = StepMode::kSynchronous,
              .worker_count = 6,
              .lanes = {NodeId{1}, NodeId{2}},
              .lane_of = {0, 0, 0, 0, 1, 1, 1, 1},
              .tables = {},
              .servers = {{"a", 7, "host", {{NodeId{1}, {"tcp://h:1"}}}},
                          {"b", 8, "host", {{NodeId{2}, {"tcp://h:2"}}}}},
              .cluster = 9};
  base.epochs = {{1, 0}, {4, 71}};
  base.tables = {SampleSpec(1), SampleLaterSpec()};
  base.partitions = {{.partition = PartitionId{6},
                      .log_position = 10,
                      .step = 11,
                      .ended_by_left = 12,
                      .sessions = {{SessionId{13}, 0, 14, 15}, {SessionId{16}, 1, 17, 18}},
                      .closed = {SessionId{19}, SessionId{20}},
                      .left = {2, 3},
                      .tables = {{21, 22}, {23, 24}},
                      .held = {{1, 0, 0, 2}}},
                     {.partition = PartitionId{7},
                      .log_position = 25,
                      .step = 26,
                      .ended_by_left = 27,
                      .sessions = {},
                      .closed = {},
                      .left = {},
                      .tables = {{28, 29}, {30, 31}},
                      .held = {}}};
  for (const NamedMessage& sample : SampleMessages()) {
    if (sample.name != "push_request") continue;
    base.pushes.push_back(std::get<std::shared_ptr<const PushRequest>>(sample.message));
  }
  base.blobs = {{"b/lane-0/base-3/p00006-0000.snapshot", 32, 33, 34}};
  return base;
}

std::string SampleTrainerState() {
  return std::string("position=42 of 'data'\0and a binary tail \xFF\x80", 43);
}

std::string InWords(const SnapshotChunk& chunk) {
  const auto& [header, tables, sessions] = chunk;
  std::ostringstream out;
  out << static_cast<std::uint32_t>(header.partition) << '/' << header.partition_count << ' '
      << header.chunk << ' ' << header.is_last << ' ' << header.log_position << ' ' << header.step
      << ' ' << header.is_increment << ' ' << static_cast<int>(header.values);
  for (const auto& [spec, rows, gone, exact_count] : tables) {
    const auto& [table, value_count, keys, counts, last_steps, values, ends, packed] = rows;
    out << "\ntable " << static_cast<std::uint32_t>(table) << ' ' << value_count << ' '
        << EncodeTableSpec(spec);
    Add(out, keys);
    Add(out, counts);
    Add(out, last_steps);
    Add(out, values);
    Add(out, ends);
    out << packed;
    Add(out, gone);
    out << exact_count;
  }
  for (const auto& [session, rank, next_sequence, first_step] : sessions) {
    out << "\nsession " << static_cast<std::uint64_t>(session) << ' ' << rank << ' '
        << next_sequence << ' ' << first_step;
  }
  return out.str();
}

std::string InWords(const Manifest& manifest) {
  const auto& [created_at, library_version, step, partition_count, lanes, step_mode, worker_count,
               tables, partitions, blobs, trainer, layers] = manifest;
  std::ostringstream out;
  out << created_at << ' ' << library_version << ' ' << step << ' ' << partition_count << ' '
      << lanes << ' ' << static_cast<int>(step_mode) << ' ' << worker_count;
  for (const auto& [id, spec] : tables) {
    out << "\ntable " << static_cast<std::uint32_t>(id) << ' ' << EncodeTableSpec(spec);
  }
  for (const auto& [partition, log_position, applied, rows, is_increment] : partitions) {
    out << "\npartition " << static_cast<std::uint32_t>(partition) << ' ' << log_position << ' '
        << applied << ' ' << rows << ' ' << is_increment;
  }
  for (const auto& [name, bytes, checksum, rows] : blobs) {
    out << "\nblob " << name << ' ' << bytes << ' ' << checksum << ' ' << rows;
  }
  for (const auto& [name, blob, bytes, checksum] : trainer) {
    out << "\ntrainer " << name << ' ' << blob << ' ' << bytes << ' ' << checksum;
  }
  for (const std::string& layer : layers) out << "\nlayer " << layer;
  return out.str();
}

}  // namespace longtail::test
