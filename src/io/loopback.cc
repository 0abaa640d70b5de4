#include "io/loopback.h"

#include <iterator>
#include <utility>

namespace longtail {

class LoopbackEndpoint final : public Transport {
 public:
  LoopbackEndpoint(LoopbackNetwork& network, NodeId node,
                   std::shared_ptr<LoopbackNetwork::Mailbox> mailbox)
      : network_(network), node_(node), mailbox_(std::move(mailbox)) {}

  ~LoopbackEndpoint() override {
    const MutexLock lock(&mailbox_->mutex);
    mailbox_->gone = true;
    mailbox_->events.clear();
  }

  NodeId node() const override { return node_; }

  void Send(Envelope envelope) override {
    const std::shared_ptr<LoopbackNetwork::Mailbox> target = network_.Find(envelope.target);
    if (target == nullptr)
      return;  // As on a wire: nobody there, and the sender's deadline says so.
    const MutexLock lock(&target->mutex);
    if (target->gone) return;
    target->events.push_back(std::move(envelope));
    if (target->events.size() == 1) target->arrived.Signal();
  }

  void Receive(absl::Time until, std::vector<Envelope>& events) override {
    const MutexLock lock(&mailbox_->mutex);
    while (mailbox_->events.empty() && !mailbox_->woken) {
      if (mailbox_->arrived.WaitWithDeadline(&mailbox_->mutex, until)) break;
    }
    mailbox_->woken = false;
    if (events.empty()) {
      events.swap(mailbox_->events);  // Both keep their memory: no allocation once warm.
    } else {
      std::move(mailbox_->events.begin(), mailbox_->events.end(), std::back_inserter(events));
      mailbox_->events.clear();
    }
  }

  void Wake() override {
    const MutexLock lock(&mailbox_->mutex);
    mailbox_->woken = true;
    mailbox_->arrived.Signal();
  }

 private:
  LoopbackNetwork& network_;
  const NodeId node_;
  const std::shared_ptr<LoopbackNetwork::Mailbox> mailbox_;
};

std::unique_ptr<Transport> LoopbackNetwork::Join() {
  const MutexLock lock(&mutex_);
  auto mailbox = std::make_shared<Mailbox>();
  mailboxes_.push_back(mailbox);
  return std::make_unique<LoopbackEndpoint>(
      *this, NodeId{static_cast<std::uint32_t>(mailboxes_.size() - 1)}, std::move(mailbox));
}

std::shared_ptr<LoopbackNetwork::Mailbox> LoopbackNetwork::Find(NodeId node) {
  const MutexLock lock(&mutex_);
  const auto index = static_cast<std::size_t>(node);
  return index < mailboxes_.size() ? mailboxes_[index] : nullptr;
}

}  // namespace longtail
