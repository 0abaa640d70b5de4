// Method: one member of a team begins products while the other waits; the result must be that of
// the same calls one after another, and the waiting thread must have done its part.
#include "examples/ctr/team_gemm.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <thread>
#include <vector>

#include "examples/common/nn/counter_random.h"

namespace longtail::examples {
namespace {

constexpr std::size_t kSize = 200;  // A product of 8,000,000 multiplications.

std::vector<float> Numbers(std::uint64_t seed) {
  std::vector<float> numbers(kSize * kSize);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = UnitUniform(ScrambledBits(seed * numbers.size() + i)) - 0.5F;
  }
  return numbers;
}

/// Counts the products that another thread than its maker's does.
class CountingGemm final : public Gemm {
 public:
  void Multiply(const GemmCall& call) const override {
    if (std::this_thread::get_id() != maker_) ++by_others;
    gemm_->Multiply(call);
  }

  mutable std::atomic<int> by_others = 0;

 private:
  const std::thread::id maker_ = std::this_thread::get_id();
  const std::unique_ptr<Gemm> gemm_ = MakeOpenBlasGemm();
};

/// c[i] += a[i]^T b for each i, and d = a[0] b at once.
struct Work {
  std::vector<std::vector<float>> a;
  std::vector<std::vector<float>> c;
  std::vector<float> b = Numbers(1);
  std::vector<float> d = std::vector<float>(kSize * kSize);

  explicit Work(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      a.push_back(Numbers(10 + i));
      c.push_back(Numbers(100 + i));
    }
  }

  void Do(const Gemm& gemm, std::size_t size) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      gemm.Begin({.transpose_a = Transpose::kYes,
                  .a = {a[i].data(), size, size, kSize},
                  .b = {b.data(), size, size, kSize},
                  .c = {c[i].data(), size, size, kSize},
                  .beta = 1});
    }
    gemm.Multiply({.a = {a[0].data(), size, size, kSize},
                   .b = {b.data(), size, size, kSize},
                   .c = {d.data(), size, size, kSize}});
    gemm.Finish();
  }
};

int DoneByOthers(std::size_t size, Work& work) {
  const CountingGemm gemm;
  ThreadTeam team(2);
  const TeamGemm shared(gemm, team);
  const absl::Status status = team.Run([&](std::uint32_t member) {
    if (member != 0) return absl::OkStatus();
    TeamTask nothing([] {});
    while (!team.Offer(nothing)) std::this_thread::yield();  // Until the other waits.
    team.Finish(nothing);
    work.Do(shared, size);
    return absl::OkStatus();
  });
  REQUIRE(status.ok());
  return gemm.by_others;
}

TEST_CASE("products that a waiting member takes have the bits of those done at once",
          "[examples][ctr][team_gemm]") {
  const std::size_t count = GENERATE(1U, 3U, 40U);  // 40: more than may be under way.
  CAPTURE(count);
  Work want(count);
  want.Do(*MakeOpenBlasGemm(), kSize);
  int by_others = 0;

  for (int attempt = 0; by_others == 0 && attempt < 100; ++attempt) {
    Work work(count);
    by_others = DoneByOthers(kSize, work);
    REQUIRE(work.c == want.c);
    REQUIRE(work.d == want.d);
  }

  CHECK(by_others > 0);
}

TEST_CASE("small products are not worth waking a thread for", "[examples][ctr][team_gemm]") {
  Work work(3);
  CHECK(DoneByOthers(50, work) == 0);
}

}  // namespace
}  // namespace longtail::examples
