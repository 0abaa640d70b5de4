#include "cluster/lane_connections.h"

#include <utility>

#include "base/status_macros.h"
#include "cluster/lane_routes.h"
#include "protocol/lane_leader.h"

namespace longtail {

class LaneConnections::Endpoint final : public Transport {
 public:
  Endpoint(std::unique_ptr<ZmqEndpoint> endpoint, const ClusterMap& map,
           std::optional<std::uint32_t> reader, std::shared_ptr<Members> members)
      : endpoint_(std::move(endpoint)), reader_(reader), members_(std::move(members)), map_(map) {
    const MutexLock lock(&members_->mutex);
    members_->endpoints.push_back(this);
  }

  ~Endpoint() override {
    const MutexLock lock(&members_->mutex);
    std::erase(members_->endpoints, this);
  }

  NodeId node() const override { return endpoint_->node(); }
  void Send(Envelope envelope) override { endpoint_->Send(std::move(envelope)); }
  void Wake() override { endpoint_->Wake(); }

  void Receive(absl::Time until, std::vector<Envelope>& events) override {
    endpoint_->Receive(until, events);
    std::shared_ptr<const ClusterMap> news;
    {
      const MutexLock lock(&mutex_);
      news.swap(news_);
    }
    if (news == nullptr) return;
    events.push_back({kCoordinatorNode, node(),
                      MapReply{.request = 0, .status = {}, .waits_for = {}, .map = news}});
  }

  absl::Status Follow(const std::shared_ptr<const ClusterMap>& map, const std::string& host) {
    const absl::Status connected = ConnectLanes(*map, host, reader_, *endpoint_);
    const MutexLock lock(&mutex_);
    if (map->version <= map_.version) return connected;
    const bool is_news = HasNewAnswerer(map_, *map, reader_) || map->epoch != map_.epoch;
    map_ = *map;
    if (is_news) {
      news_ = map;
      endpoint_->Wake();
    }
    return connected;
  }

 private:
  const std::unique_ptr<ZmqEndpoint> endpoint_;
  const std::optional<std::uint32_t> reader_;
  const std::shared_ptr<Members> members_;
  Mutex mutex_;
  ClusterMap map_ ABSL_GUARDED_BY(mutex_);  // The newest it was connected by.
  std::shared_ptr<const ClusterMap> news_ ABSL_GUARDED_BY(mutex_);  // Not yet received.
};

LaneConnections::LaneConnections(ZmqNetwork& network, std::string host)
    : network_(network), host_(std::move(host)), members_(std::make_shared<Members>()) {}

absl::StatusOr<std::unique_ptr<Transport>> LaneConnections::Join(
    const ClusterMap& map, std::optional<std::uint32_t> reader) {
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<ZmqEndpoint> endpoint, network_.Join(NodeId{0}, {}));
  LONGTAIL_RETURN_IF_ERROR(ConnectLanes(map, host_, reader, *endpoint));
  return std::make_unique<Endpoint>(std::move(endpoint), map, reader, members_);
}

absl::Status LaneConnections::Follow(const std::shared_ptr<const ClusterMap>& map) {
  absl::Status status;
  const MutexLock lock(&members_->mutex);
  for (Endpoint* const endpoint : members_->endpoints) status.Update(endpoint->Follow(map, host_));
  return status;
}

}  // namespace longtail
