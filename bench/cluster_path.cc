// Ours: a worker of a remote cluster; and its messages between two endpoints, without a table.
#include <deque>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/time/clock.h"
#include "base/check.h"
#include "bench/stores.h"
#include "bench/wire_path.h"
#include "cluster/coordinator_process.h"
#include "cluster/server_process.h"
#include "io/keyring.h"
#include "io/open_store.h"
#include "io/zmq_network.h"
#include "longtail/cluster.h"

namespace longtail::bench {
namespace {

template <typename T>
T Must(absl::StatusOr<T> result) {
  if (!result.ok()) std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
  LONGTAIL_CHECK(result.ok());
  return *std::move(result);
}
void Must(const absl::Status& status) {
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  LONGTAIL_CHECK(status.ok());
}

constexpr NodeId kServer{1};

class TransportPath final : public WirePath {
 public:
  TransportPath(const std::string& address, Workload& load)
      : network_(Must(ZmqNetwork::Create({}))),
        endpoint_(Must(network_->Join(NodeId{0}, {}))),
        load_(load) {
    Must(endpoint_->Connect(kServer, address));
  }

  void Start(const Shape& shape, std::size_t number) override {
    const std::vector<Key>& keys = load_.Keys(shape, number);
    const auto dim = static_cast<std::uint32_t>(shape.dim);
    if (shape.is_push) {
      auto push = std::make_shared<PushRequest>();
      push->request = number;
      push->sections.push_back(
          {.partition = {},
           .table = {},
           .dim = dim,
           .sequence = 0,
           .keys = keys,
           .counts = std::span(load_.counts()).first(keys.size()),
           .gradients = std::span(load_.gradients()).first(keys.size() * shape.dim)});
      endpoint_->Send({NodeId{0}, kServer, std::shared_ptr<const PushRequest>(std::move(push))});
    } else {
      auto pull = std::make_shared<PullRequest>();
      pull->request = number;
      pull->sections.push_back(
          {.partition = {}, .table = {}, .dim = dim, .keys = keys, .target = {}});
      endpoint_->Send({NodeId{0}, kServer, std::shared_ptr<const PullRequest>(std::move(pull))});
    }
  }

  void Finish() override {
    while (at_ == answers_.size()) {
      answers_.clear();
      at_ = 0;
      endpoint_->Receive(absl::Now() + absl::Seconds(60), answers_);
      LONGTAIL_CHECK(!answers_.empty());
    }
    answers_[at_++].body = Acknowledgement{};
  }

 private:
  const std::unique_ptr<ZmqNetwork> network_;
  const std::unique_ptr<ZmqEndpoint> endpoint_;
  Workload& load_;
  std::vector<Envelope> answers_;
  std::size_t at_ = 0;
};

class ClusterPath final : public WirePath {
 public:
  ClusterPath(const std::string& coordinator, Workload& load)
      : cluster_(Must(Cluster::Remote({.coordinator = coordinator}))),
        table_(Must(cluster_->CreateTable({.name = "bench",
                                           .dim = static_cast<std::uint32_t>(load.dim()),
                                           .optimizer = {.rule = kRule},
                                           .initializer = ConstantSpec{},
                                           .seed = 1,
                                           .linear_columns = 0}))),
        worker_(Must(cluster_->Connect())),
        load_(load) {
    std::vector<Key> keys;
    const std::vector<float> zeros(kFill * load.dim());
    for (std::uint64_t at = 0; at < load.rows(); at += kFill) {
      keys.clear();
      for (std::uint64_t i = at; i < std::min(load.rows(), at + kFill); ++i) {
        keys.push_back(KeyOfNumber(i));
      }
      Must(worker_->Push(table_, keys, std::span(zeros).first(keys.size() * load.dim())));
    }
    for (const auto& [size, batches] : load.keys()) {
      for (std::size_t i = 0; i < batches.size(); ++i) {
        Must(worker_->Prepare(table_, batches[i], prepared_[size][i]));
      }
    }
  }

  void Start(const Shape& shape, std::size_t number) override {
    const KeyBatch& keys = prepared_.at(shape.keys)[number % Workload::kBatches];
    const std::size_t floats = shape.keys * shape.dim;
    if (shape.is_push) {
      const PushItem item{.keys = &keys, .gradients = std::span(load_.gradients()).first(floats)};
      calls_.push_back(worker_->PushAsync({&item, 1}));
    } else {
      const PullItem item{.keys = &keys, .rows = {load_.Rows(number), floats}};
      calls_.push_back(worker_->PullAsync({&item, 1}));
    }
  }

  void Finish() override {
    Must(calls_.front().Wait());
    calls_.pop_front();
  }

 private:
  static constexpr std::uint64_t kFill = 50'000;

  const std::unique_ptr<Cluster> cluster_;
  const TableId table_;
  const std::unique_ptr<Worker> worker_;
  Workload& load_;
  std::map<std::size_t, std::array<KeyBatch, Workload::kBatches>> prepared_;
  std::deque<Pending> calls_;
};

}  // namespace

std::string ServeTransport() {
  const std::string listen[] = {"tcp://127.0.0.1:0"};
  auto* const network = Must(ZmqNetwork::Create({})).release();
  auto* const endpoint = Must(network->Join(kServer, listen)).release();
  std::thread([endpoint] {
    const std::vector<float> rows(std::size_t{16} << 20);
    std::vector<Envelope> events;
    for (;;) {
      endpoint->Receive(absl::Now() + absl::Seconds(1), events);
      for (Envelope& event : events) {
        if (const auto* pull = std::get_if<std::shared_ptr<const PullRequest>>(&event.body)) {
          const PullSection& section = (*pull)->sections[0];
          endpoint->Send(
              {kServer, event.source,
               PullReply{.request = (*pull)->request,
                         .status = {},
                         .values = std::span(rows).first(section.keys.size() * section.dim),
                         .counts = {},
                         .owner = {}}});
        } else {
          endpoint->Send({kServer, event.source, Acknowledgement{}});
        }
      }
      events.clear();
    }
  }).detach();
  return endpoint->addresses()[0];
}

namespace {

// A cluster's keys in `directory`/cluster and those of its one client in `directory`/client.
void MakeKeys(const std::string& directory) {
  const KeyPair cluster = MakeKeyPair();
  const KeyPair client = MakeKeyPair();
  const auto write = [&](const std::string& file, const std::string& text) {
    const std::filesystem::path path = directory + file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  };
  write("/cluster/cluster.public", cluster.public_key);
  write("/cluster/cluster.secret", cluster.secret_key);
  write("/cluster/clients", client.public_key + " worker bench\n");
  write("/client/cluster.public", cluster.public_key);
  write("/client/client.public", client.public_key);
  write("/client/client.secret", client.secret_key);
}

}  // namespace

std::string ServeCluster(const ClusterShape& shape) {
  const bool has_keys = !shape.keys_directory.empty();
  if (has_keys) MakeKeys(shape.keys_directory);
  const std::string keys = has_keys ? shape.keys_directory + "/cluster" : "";
  auto* const coordinator =
      Must(CoordinatorProcess::Start(
               {.cluster = {.servers = shape.servers, .workers = 1, .replicas = shape.replicas},
                .keys = keys}))
          .release();
  std::vector<std::jthread> starting;  // Each returns when all are there.
  for (std::uint32_t i = 0; i < shape.servers; ++i) {
    starting.emplace_back([&shape, &keys, coordinator, i] {
      Must(ServerProcess::Start({.coordinator = coordinator->address(),
                                 .name = "bench-" + std::to_string(i),
                                 .lanes = 1,
                                 .replicas = shape.replicas,
                                 .ipc_directory = shape.ipc_directory,
                                 .keys = keys,
                                 .log_store = shape.log_store}))
          .release();
    });
  }
  starting.clear();
  return coordinator->address() + (has_keys ? "?keys=" + shape.keys_directory + "/client" : "");
}

void RemoveLogs(const std::string& address) {
  const auto store = Must(OpenStore(address));
  for (const std::string& name : Must(store->List(""))) {
    const absl::Status removed = store->Remove(name);
    if (!absl::IsNotFound(removed)) Must(removed);
  }
}

std::unique_ptr<WirePath> ConnectTransport(const std::string& address, Workload& load) {
  return std::make_unique<TransportPath>(address, load);
}

std::unique_ptr<WirePath> ConnectCluster(const std::string& coordinator, Workload& load) {
  return std::make_unique<ClusterPath>(coordinator, load);
}

}  // namespace longtail::bench
