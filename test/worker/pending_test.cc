// The handle of a call in flight: waiting, dropping, moving.
#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "longtail/worker.h"
#include "worker/pending_state.h"

namespace longtail {

// The tests' own way to what a public handle keeps to itself.
class WorkerAccess {
 public:
  static Pending MakePending(std::shared_ptr<Pending::State> state) {
    return Pending(std::move(state));
  }
};

namespace {

// Notes what is abandoned.
class Owner final : public CallOwner {
 public:
  Owner() : link_(std::make_shared<CallOwnerLink>()) {
    const MutexLock lock(&link_->mutex);
    link_->owner = this;
  }

  std::shared_ptr<Pending::State> Start(std::uint64_t call) {
    auto state = std::make_shared<Pending::State>();
    state->Start(link_, absl::Now() + absl::Seconds(30));
    state->SetCall(call);
    return state;
  }
  void Leave() {
    const MutexLock lock(&link_->mutex);
    link_->owner = nullptr;
  }
  void Abandon(std::uint64_t call) override { abandoned_.push_back(call); }

  const std::vector<std::uint64_t>& abandoned() const { return abandoned_; }

 private:
  std::shared_ptr<CallOwnerLink> link_;
  std::vector<std::uint64_t> abandoned_;
};

TEST_CASE("a second Wait gives the outcome again", "[worker][pending]") {
  Owner owner;
  const auto state = owner.Start(4);
  Pending pending = WorkerAccess::MakePending(state);
  CHECK_FALSE(pending.done());

  state->Finish(absl::NotFoundError("no table"));

  CHECK(pending.done());
  CHECK(pending.Wait() == absl::NotFoundError("no table"));
  CHECK(pending.Wait() == absl::NotFoundError("no table"));
  CHECK(owner.abandoned().empty());
}

TEST_CASE("the first outcome of a call stands", "[worker][pending]") {
  Owner owner;
  const auto state = owner.Start(4);
  Pending pending = WorkerAccess::MakePending(state);

  state->Finish(absl::OkStatus());
  state->Finish(absl::NotFoundError("late"));

  CHECK(pending.Wait().ok());
}

TEST_CASE("Wait wakes when another thread ends the call", "[worker][pending]") {
  Owner owner;
  const auto state = owner.Start(4);
  Pending pending = WorkerAccess::MakePending(state);

  std::thread other([&] { state->Finish(absl::DataLossError("x")); });
  const absl::Status status = pending.Wait();
  other.join();

  CHECK(status == absl::DataLossError("x"));
}

TEST_CASE("a dropped handle abandons its call", "[worker][pending]") {
  Owner owner;
  { const Pending dropped = WorkerAccess::MakePending(owner.Start(8)); }

  CHECK(owner.abandoned() == std::vector<std::uint64_t>{8});
}

TEST_CASE("a handle of an ended call abandons nothing", "[worker][pending]") {
  Owner owner;
  {
    const auto state = owner.Start(8);
    const Pending dropped = WorkerAccess::MakePending(state);
    state->Finish(absl::OkStatus());
  }

  CHECK(owner.abandoned().empty());
}

TEST_CASE("a handle that outlives its worker abandons nothing", "[worker][pending]") {
  Owner owner;
  {
    const Pending dropped = WorkerAccess::MakePending(owner.Start(8));
    owner.Leave();
  }

  CHECK(owner.abandoned().empty());
}

TEST_CASE("moving a handle onto another abandons the other's call alone", "[worker][pending]") {
  Owner owner;
  const auto kept = owner.Start(2);
  Pending pending = WorkerAccess::MakePending(owner.Start(1));

  pending = WorkerAccess::MakePending(kept);

  CHECK(owner.abandoned() == std::vector<std::uint64_t>{1});
  kept->Finish(absl::OkStatus());
  CHECK(pending.Wait().ok());
}

TEST_CASE("moving a handle onto itself keeps its call", "[worker][pending]") {
  Owner owner;
  const auto state = owner.Start(1);
  Pending pending = WorkerAccess::MakePending(state);
  Pending& same = pending;

  pending = std::move(same);

  CHECK(owner.abandoned().empty());
  state->Finish(absl::OkStatus());
  CHECK(pending.Wait().ok());
}

TEST_CASE("an empty handle is done and says that there is nothing to wait for",
          "[worker][pending]") {
  Pending pending;

  CHECK(pending.done());
  CHECK(absl::IsFailedPrecondition(pending.Wait()));
}

TEST_CASE("a Wait past its deadline gives up and abandons the call", "[worker][pending]") {
  Owner owner;
  const auto link = std::make_shared<CallOwnerLink>();
  {
    const MutexLock lock(&link->mutex);
    link->owner = &owner;
  }
  auto state = std::make_shared<Pending::State>();
  state->Start(link, absl::Now() - absl::Seconds(100));
  state->SetCall(6);
  Pending pending = WorkerAccess::MakePending(state);

  const absl::Status status = pending.Wait();

  CHECK(absl::IsDeadlineExceeded(status));
  CHECK(owner.abandoned() == std::vector<std::uint64_t>{6});
  state->Finish(absl::OkStatus());  // So that the handle's end abandons nothing twice.
}

}  // namespace
}  // namespace longtail
