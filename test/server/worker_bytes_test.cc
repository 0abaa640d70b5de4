// A worker whose messages travel as bytes: what it gets is what it gets by pointer, in whatever
// form they travel.
#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "io/control_client.h"
#include "io/core_loop.h"
#include "io/loopback.h"
#include "protocol/wire.h"
#include "server/cluster_fixture.h"
#include "server/lane_core.h"
#include "worker/connected_worker.h"

namespace longtail {
namespace {

using test::Must;

// Sends every message through the wire codec. Thread: as what is under it.
class ByteTransport final : public Transport {
 public:
  explicit ByteTransport(std::unique_ptr<Transport> under) : under_(std::move(under)) {}

  NodeId node() const override { return under_->node(); }
  void Send(Envelope envelope) override {
    std::string bytes;
    Encode(envelope.body, bytes);
    absl::StatusOr<Message> decoded = Decode(AsBytes(bytes));
    if (!decoded.ok()) return;  // The caller's deadline says so.
    under_->Send({envelope.source, envelope.target, *std::move(decoded)});
  }
  void Receive(absl::Time until, std::vector<Envelope>& events) override {
    under_->Receive(until, events);
  }
  void Wake() override { under_->Wake(); }

 private:
  const std::unique_ptr<Transport> under_;
};

// Enough for lists that are worth a name, one of them twice.
std::vector<Key> Keys() {
  std::vector<Key> keys;
  for (Key key = 1; key <= 40; ++key) keys.push_back(~Key{0} / key);
  keys.push_back(keys[3]);
  return keys;
}

TEST_CASE("a worker whose messages travel as bytes gets rows and counts", "[server][worker]") {
  const bool names_key_lists = GENERATE(false, true);
  const WireValues format = GENERATE(WireValues::kFloat32, WireValues::kBfloat16,
                                     WireValues::kFloat16, WireValues::kInt8);
  const bool has_cache = GENERATE(false, true);
  CAPTURE(names_key_lists, format, has_cache);
  LoopbackNetwork network;
  ClusterMap map;
  map.lane_of = {0, 1, 0, 1};
  map.tables = {test::ExactSpec("t", 2)};
  std::vector<std::unique_ptr<Transport>> transports;
  std::vector<std::unique_ptr<server::LaneCore>> cores;
  std::vector<std::unique_ptr<CoreLoop>> loops;
  for (std::uint32_t lane = 0; lane < 2; ++lane) {
    transports.push_back(std::make_unique<ByteTransport>(network.Join()));
    map.lanes.push_back(transports.back()->node());
    cores.push_back(std::make_unique<server::LaneCore>(
        server::LaneCore::Options{.self = transports.back()->node(),
                                  .partition_count = 4,
                                  .partitions = {PartitionId{lane}, PartitionId{lane + 2}}}));
    loops.push_back(std::make_unique<CoreLoop>(*cores.back(), *transports.back(),
                                               CoreLoop::Options{.name = "lane"}));
  }
  ControlClient control(std::make_unique<ByteTransport>(network.Join()));
  Must(control
           .Ask<Acknowledgement>("table", map.lanes, absl::Seconds(30),
                                 [&](std::uint64_t n) {
                                   return CreateTable{n, TableId{0}, map.tables[0]};
                                 })
           .status());
  const ClusterMapHolder holder(map);
  const auto worker =
      Must(ConnectedWorker::Connect({.row_cache_bytes = has_cache ? std::size_t{1} << 20 : 0,
                                     .wire_gradients = format,
                                     .wire_rows = format,
                                     .wire_names_key_lists = names_key_lists},
                                    {.session = SessionId{1}, .is_remote = true},
                                    std::make_unique<ByteTransport>(network.Join()), holder));
  KeyBatch batch;
  Must(worker->Prepare(TableId{0}, Keys(), batch));
  std::vector<float> gradients;
  std::vector<float> want;
  for (std::size_t i = 0; i < batch.unique_size() * 2; ++i) {
    gradients.push_back(static_cast<float>(i + 1));
    want.push_back(3 - gradients.back());
  }
  const PushItem push{.keys = &batch, .gradients = gradients};
  Must(worker->Push({&push, 1}));
  std::vector<float> rows(want.size());
  std::vector<std::uint32_t> counts(batch.unique_size());

  const PullItem pull{.keys = &batch, .rows = rows, .counts = counts};
  Must(worker->Pull({&pull, 1}));

  CHECK(rows == want);
  CHECK(std::vector<std::uint32_t>(batch.counts().begin(), batch.counts().end()) == counts);
  const WorkerStatistics statistics = worker->statistics();
  CHECK((statistics.key_lists_named > 0) == names_key_lists);
  const std::size_t floats = want.size();
  if (format == WireValues::kFloat32) CHECK(statistics.value_bytes_sent == 4 * floats);
  if (format == WireValues::kBfloat16) CHECK(statistics.value_bytes_sent == 2 * floats);
  if (format == WireValues::kInt8) CHECK(statistics.value_bytes_sent == 3 * floats / 2);
  CHECK(statistics.value_bytes_received == statistics.value_bytes_sent);
  // Once more, from the cache if there is one.
  rows.assign(rows.size(), 0);
  counts.assign(counts.size(), 0);
  Must(worker->Pull({&pull, 1}));
  CHECK(rows == want);
  CHECK(std::vector<std::uint32_t>(batch.counts().begin(), batch.counts().end()) == counts);
  CHECK(worker->statistics().value_bytes_received ==
        statistics.value_bytes_received * (has_cache ? 1 : 2));
  CHECK(worker->statistics().cache_rows_served == (has_cache ? batch.unique_size() : 0));
  // Values that must be exact are.
  gradients.assign(gradients.size(), 0x1p-20F);
  Must(worker->Push({&push, 1}, {.exact_on_wire = true}));
  Must(worker->Pull({&pull, 1}, {.exact_on_wire = true}));
  for (std::size_t i = 0; i < want.size(); ++i) CHECK(rows[i] == want[i] - 0x1p-20F);
}

}  // namespace
}  // namespace longtail
