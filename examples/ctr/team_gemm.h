// Products that a replica leaves to the replicas that wait for it.
//
// Replicas seldom end a step together: lanes and other programs take the cores from one of them.
// Whoever is done sooner does some of the others' products meanwhile. Each product is done whole,
// by the same call wherever it is done, so no bit of it depends on who does it.
#pragma once

#include <memory>

#include "examples/common/nn/gemm.h"
#include "examples/ctr/thread_team.h"

namespace longtail::examples {

/// Of one member of a team.
///
/// Thread: one at a time: that member, in its job.
class TeamGemm final : public Gemm {
 public:
  /// Multiplies with `gemm`; both must outlive this.
  TeamGemm(const Gemm& gemm, ThreadTeam& team);
  ~TeamGemm() override;

  void Multiply(const GemmCall& call) const override;

  /// Leaves large products to a member that waits, and does the others at once.
  void Begin(const GemmCall& call) const override;
  void Finish() const override;

 private:
  struct Begun;

  const Gemm& gemm_;
  ThreadTeam& team_;
  const std::unique_ptr<Begun> begun_;
};

}  // namespace longtail::examples
