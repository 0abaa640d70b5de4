#include "examples/ctr/team_gemm.h"

#include <array>
#include <cstddef>

namespace longtail::examples {
namespace {

// Multiplications below which it takes longer to wake a thread than to do them.
constexpr std::size_t kOfferedMin = std::size_t{1} << 22;

// Products of one block of a micro-batch that may be under way; those beyond are done at once.
constexpr std::size_t kBegunMax = 16;

struct Product {
  const Gemm* gemm = nullptr;
  GemmCall call;
  TeamTask task{[this] { gemm->Multiply(call); }};
};

std::size_t Multiplications(const GemmCall& call) {
  return call.a.rows * call.a.columns * call.c.columns;
}

}  // namespace

struct TeamGemm::Begun {
  std::array<Product, kBegunMax> products;
  std::size_t count = 0;
};

TeamGemm::TeamGemm(const Gemm& gemm, ThreadTeam& team)
    : gemm_(gemm), team_(team), begun_(std::make_unique<Begun>()) {}

TeamGemm::~TeamGemm() = default;

void TeamGemm::Multiply(const GemmCall& call) const {
  gemm_.Multiply(call);
}

void TeamGemm::Begin(const GemmCall& call) const {
  if (begun_->count < kBegunMax && Multiplications(call) >= kOfferedMin) {
    Product& product = begun_->products[begun_->count];
    product.gemm = &gemm_;
    product.call = call;
    if (team_.Offer(product.task)) {
      ++begun_->count;
      return;
    }
  }
  gemm_.Multiply(call);
}

void TeamGemm::Finish() const {
  for (std::size_t i = begun_->count; i-- > 0;) team_.Finish(begun_->products[i].task);
  begun_->count = 0;
}

}  // namespace longtail::examples
