// A worker whose messages travel as bytes: what it gets is what it gets by pointer.
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

TEST_CASE("a worker whose messages travel as bytes gets rows and counts", "[server][worker]") {
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
  const auto worker = Must(ConnectedWorker::Connect(
      {}, {.session = SessionId{1}}, std::make_unique<ByteTransport>(network.Join()), holder));
  KeyBatch batch;
  Must(worker->Prepare(TableId{0}, std::vector<Key>{1, 2, 3, 4, 5, 6, 7, 2}, batch));
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
}

}  // namespace
}  // namespace longtail
