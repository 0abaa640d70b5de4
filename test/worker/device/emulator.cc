// The engine of the emulator. It is built without sanitizers, and tells them of its fibers:
// LONGTAIL_SIMT_ASAN and LONGTAIL_SIMT_TSAN say which the tests have.
#include "worker/device/emulator.h"

#include <sys/mman.h>

#include <cstdlib>
#include <utility>
#include <vector>

#if LONGTAIL_SIMT_TSAN
extern "C" {
void* __tsan_get_current_fiber(void);
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_acquire(void* address);
void __tsan_release(void* address);
}
#define WITH_TSAN(statement) statement
#else
#define WITH_TSAN(statement)
#endif
#if LONGTAIL_SIMT_ASAN
extern "C" {
void __sanitizer_start_switch_fiber(void** save, const void* bottom, std::size_t size);
void __sanitizer_finish_switch_fiber(void* save, const void** bottom, std::size_t* size);
void __asan_unpoison_memory_region(void const volatile* address, std::size_t size);
}
#define WITH_ASAN(statement) statement
#else
#define WITH_ASAN(statement)
#endif

// Saves the registers that a call must keep on the stack, and goes on from those of another.
extern "C" void simt_switch(void** save, void* load);
asm(R"(.text
.type simt_switch,@function
simt_switch:
 pushq %rbp
 pushq %rbx
 pushq %r12
 pushq %r13
 pushq %r14
 pushq %r15
 movq %rsp,(%rdi)
 movq %rsi,%rsp
 popq %r15
 popq %r14
 popq %r13
 popq %r12
 popq %rbx
 popq %rbp
 ret
.size simt_switch,.-simt_switch
)");

namespace simt {
namespace {

constexpr unsigned kLanes = 32;
constexpr std::size_t kPage = 4096;
constexpr std::size_t kStackBytes = std::size_t{LONGTAIL_SIMT_TSAN || LONGTAIL_SIMT_ASAN ? 128 : 64}
                                    << 10;
constexpr std::size_t kSharedArraysMax = 16;
constexpr std::size_t kStaticSharedBytes = 48 << 10;  // What a device's block may have.
constexpr unsigned char kPoison = 0xFB;               // Four of them are the float -2.6e36.

enum class Waiting { kNone, kBlock, kWarp };

struct Fiber {
  void* stack_pointer = nullptr;
  char* stack = nullptr;
  unsigned index[3] = {};
  unsigned number = 0;
  bool is_done = false;
  Waiting waiting = Waiting::kNone;
  unsigned mask = 0;
  int operation = 0;
  void* tsan = nullptr;
  void* fake_stack = nullptr;
  // What the thread sanitizer sees of barriers: who arrives releases one, who goes on acquires
  // those of all that met. Two in turn: another may be at its next barrier before this one goes on.
  char order[2] = {};
  unsigned meetings = 0;  // Of its warp.
  char* met[kLanes] = {};
};

struct Warp {
  std::uint64_t given[kLanes] = {};
};

struct SharedArray {
  const void* site = nullptr;
  char* pages = nullptr;
  std::size_t page_bytes = 0;
  char* data = nullptr;
};

// Memory that ends where a page ends, and behind it one that may not be touched.
//
// With the thread sanitizer, fresh for each block: it forgets what it knew of pages that were given
// back. And a part of what the block had from the start, since what a fiber takes or fills itself
// would be its own writing.
SharedArray AllocateShared(const void* site, std::size_t bytes) {
  SharedArray array{.site = site};
#if LONGTAIL_SIMT_ASAN
  array.data = static_cast<char*>(std::malloc(bytes));
#else
  constexpr std::size_t kAlignment = 16;
  const std::size_t size = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  array.page_bytes = (size + kPage - 1) / kPage * kPage + kPage;
  array.pages = static_cast<char*>(
      mmap(nullptr, array.page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  mprotect(array.pages + array.page_bytes - kPage, kPage, PROT_NONE);
  array.data = array.pages + array.page_bytes - kPage - size;
#endif
  std::memset(array.data, kPoison, bytes);
  return array;
}

void FreeShared(const SharedArray& array) {
  if (array.pages != nullptr) munmap(array.pages, array.page_bytes);
  if (array.pages == nullptr) std::free(array.data);
}

// The stacks of a thread's fibers, each above a page that may not be touched.
class Stacks {
 public:
  ~Stacks() {
    if (memory_ != nullptr) munmap(memory_, count_ * kStride);
  }
  // Under the thread sanitizer anew for each block, which nothing orders with the last.
  void Prepare(unsigned count) {
    if (LONGTAIL_SIMT_TSAN || count_ < count) {
      if (memory_ != nullptr) munmap(memory_, count_ * kStride);
      count_ = count;
      memory_ = static_cast<char*>(mmap(nullptr, count_ * kStride, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
      for (unsigned i = 0; i < count; ++i) mprotect(memory_ + i * kStride, kPage, PROT_NONE);
    }
    WITH_ASAN(__asan_unpoison_memory_region(memory_, count_ * kStride);)
  }
  char* At(unsigned number) const { return memory_ + number * kStride + kPage; }

 private:
  static constexpr std::size_t kStride = kStackBytes + kPage;
  char* memory_ = nullptr;
  unsigned count_ = 0;
};

struct Block {
  Shape shape{};
  unsigned index[3] = {};
  std::vector<Fiber> fibers;
  std::vector<Warp> warps;
  std::vector<SharedArray> shared;  // First the dynamic one.
  SharedArray static_shared;        // With the thread sanitizer, all others.
  std::size_t static_shared_used = 0;
  unsigned alive = 0;
  unsigned arrived = 0;         // At a barrier of the block.
  const char* error = nullptr;  // A literal: a fiber may not allocate.
  void (*body)(void*) = nullptr;
  void* argument = nullptr;
  Fiber* current = nullptr;
  void* main_stack_pointer = nullptr;
  void* main_tsan = nullptr;
  void* main_fake_stack = nullptr;
  const void* main_bottom = nullptr;
  std::size_t main_size = 0;
  char order[2] = {};  // As a fiber's, for barriers of the block.
  unsigned meetings = 0;
};

thread_local Block* block = nullptr;
thread_local std::uint64_t random_state = 1;
thread_local bool preempts = false;
thread_local Stacks stacks;
[[maybe_unused]] char launch_order;

std::uint64_t Draw() {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

void SwitchToMain(Fiber* fiber, [[maybe_unused]] bool is_last) {
  WITH_TSAN(__tsan_switch_to_fiber(block->main_tsan, 1);)
  WITH_ASAN(__sanitizer_start_switch_fiber(is_last ? nullptr : &fiber->fake_stack,
                                           block->main_bottom, block->main_size);)
  simt_switch(&fiber->stack_pointer, block->main_stack_pointer);
  WITH_ASAN(
      __sanitizer_finish_switch_fiber(fiber->fake_stack, &block->main_bottom, &block->main_size);)
}

void SwitchToFiber(Fiber* fiber) {
  block->current = fiber;
  WITH_TSAN(__tsan_switch_to_fiber(fiber->tsan, 1);)
  WITH_ASAN(__sanitizer_start_switch_fiber(&block->main_fake_stack, fiber->stack, kStackBytes);)
  simt_switch(&block->main_stack_pointer, fiber->stack_pointer);
  WITH_ASAN(__sanitizer_finish_switch_fiber(block->main_fake_stack, nullptr, nullptr);)
}

// Where a fiber begins. It never returns.
void Enter() {
  WITH_ASAN(__sanitizer_finish_switch_fiber(nullptr, &block->main_bottom, &block->main_size);)
  block->body(block->argument);
  Fiber* const fiber = block->current;
  fiber->is_done = true;
  WITH_TSAN(__tsan_release(&launch_order);)
  SwitchToMain(fiber, true);
  std::abort();
}

// Lets the lanes of a mask go on, each of which knows whom it met.
void Meet(unsigned first, unsigned mask) {
  std::vector<Fiber>& fibers = block->fibers;
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    if ((mask >> lane & 1) == 0) continue;
    Fiber& fiber = fibers[first + lane];
    fiber.waiting = Waiting::kNone;
    for (unsigned other = 0; other < kLanes; ++other) {
      Fiber* const peer = (mask >> other & 1) != 0 ? &fibers[first + other] : nullptr;
      fiber.met[other] = peer == nullptr ? nullptr : &peer->order[peer->meetings % 2];
    }
  }
}

// Which of a warp's lanes are where they can go on together, and those that never can.
void ReleaseWarp(unsigned first) {
  Block& b = *block;
  const unsigned lanes = std::min(kLanes, static_cast<unsigned>(b.fibers.size()) - first);
  for (unsigned lane = 0; lane < lanes; ++lane) {
    const Fiber& fiber = b.fibers[first + lane];
    if (fiber.waiting != Waiting::kWarp) continue;
    const unsigned mask = fiber.mask;
    bool is_complete = true;
    for (unsigned other = 0; other < kLanes; ++other) {
      if ((mask >> other & 1) == 0) continue;
      if (other >= lanes || b.fibers[first + other].is_done) {
        return Fail("a lane that a mask names has ended, or is none");
      }
      const Fiber& peer = b.fibers[first + other];
      const bool waits = peer.waiting == Waiting::kWarp && peer.mask == mask;
      if (waits && peer.operation != fiber.operation) {
        return Fail("lanes of one mask meet in different operations");
      }
      is_complete = is_complete && waits;
    }
    if (is_complete) Meet(first, mask);
  }
}

void Release() {
  Block& b = *block;
  if (b.arrived > 0 && b.arrived == b.alive) {
    if (b.alive < b.fibers.size()) {
      return Fail("a barrier of the block is reached by part of it: others have ended");
    }
    for (Fiber& fiber : b.fibers) {
      if (fiber.waiting == Waiting::kBlock) fiber.waiting = Waiting::kNone;
    }
    b.arrived = 0;
    ++b.meetings;
  }
  for (unsigned first = 0; first < b.fibers.size(); first += kLanes) ReleaseWarp(first);
}

void PrepareFibers() {
  Block& b = *block;
  const auto count = static_cast<unsigned>(b.fibers.size());
  stacks.Prepare(count);
  const Extent& size = b.shape.threads;
  for (unsigned i = 0; i < count; ++i) {
    Fiber& fiber = b.fibers[i];
    fiber.number = i;
    fiber.index[0] = i % size.x;
    fiber.index[1] = i / size.x % size.y;
    fiber.index[2] = i / size.x / size.y;
    fiber.stack = stacks.At(i);
    auto** top = reinterpret_cast<void**>(fiber.stack + kStackBytes);
    *--top = nullptr;  // So that Enter's stack is aligned as behind a call.
    *--top = reinterpret_cast<void*>(&Enter);
    for (int saved = 0; saved < 6; ++saved) *--top = nullptr;
    fiber.stack_pointer = top;
    WITH_TSAN(fiber.tsan = __tsan_create_fiber(0);)
  }
}

// Lets each fiber that can go on do so, in an order of chance, until none is left.
void RunFibers(bool is_shuffled) {
  Block& b = *block;
  std::vector<Fiber*> order;
  for (Fiber& fiber : b.fibers) order.push_back(&fiber);
  while (b.alive > 0 && b.error == nullptr) {
    for (std::size_t i = order.size(); is_shuffled && i > 1; --i) {
      std::swap(order[i - 1], order[Draw() % i]);
    }
    bool is_progress = false;
    for (Fiber* const fiber : order) {
      if (fiber->is_done || fiber->waiting != Waiting::kNone) continue;
      is_progress = true;
      SwitchToFiber(fiber);
      if (fiber->is_done) --b.alive;
    }
    Release();
    if (is_progress) continue;
    bool can_go_on = false;
    for (const Fiber& fiber : b.fibers) {
      can_go_on |= !fiber.is_done && fiber.waiting == Waiting::kNone;
    }
    if (!can_go_on && b.error == nullptr) Fail("no thread can go on: a barrier that others miss");
  }
}

#if LONGTAIL_SIMT_TSAN
// Who did not come to its end, after an error, has been before what comes now.
void DestroyTsanFiber(Fiber* fiber) {
  if (!fiber->is_done) {
    __tsan_switch_to_fiber(fiber->tsan, 0);
    __tsan_switch_to_fiber(block->main_tsan, 0);
  }
  __tsan_destroy_fiber(fiber->tsan);
}
#endif

std::string RunBlock(const Shape& shape, const unsigned (&index)[3], bool is_shuffled,
                     void (*body)(void*), void* argument) {
  Block b;
  b.shape = shape;
  std::copy_n(index, 3, b.index);
  b.body = body;
  b.argument = argument;
  b.alive = shape.threads.x * shape.threads.y * shape.threads.z;
  b.fibers.resize(b.alive);
  b.warps.resize((b.alive + kLanes - 1) / kLanes);
  b.shared.reserve(kSharedArraysMax);
  b.shared.push_back(AllocateShared(nullptr, shape.shared_bytes));
  if (LONGTAIL_SIMT_TSAN) b.static_shared = AllocateShared(nullptr, kStaticSharedBytes);
  block = &b;
  WITH_TSAN(b.main_tsan = __tsan_get_current_fiber();)
  PrepareFibers();
  RunFibers(is_shuffled);
  WITH_TSAN(for (Fiber& fiber : b.fibers) DestroyTsanFiber(&fiber);)
  if (LONGTAIL_SIMT_TSAN) FreeShared(b.static_shared);
  for (const SharedArray& array : b.shared) {
    if (!LONGTAIL_SIMT_TSAN || array.pages != nullptr) FreeShared(array);
  }
  block = nullptr;
  if (b.error == nullptr) return {};
  return "block " + std::to_string(index[0]) + "," + std::to_string(index[1]) + ": " + b.error;
}

}  // namespace

std::string RunGrid(const Shape& shape, const Schedule& schedule, void (*body)(void*),
                    void* argument) {
  random_state = 0x9E3779B97F4A7C15U ^ (schedule.seed * 0x2545F4914F6CDD1DU);
  preempts = schedule.preempts;
  const Extent& size = shape.blocks;
  const unsigned count = size.x * size.y * size.z;
  const bool is_shuffled = schedule.seed != 0;
  const unsigned first = is_shuffled ? static_cast<unsigned>(Draw() % count) : 0;
  std::string error;
  for (unsigned i = 0; i < count && error.empty(); ++i) {
    const unsigned at = (i + first) % count;
    const unsigned index[3] = {at % size.x, at / size.x % size.y, at / size.x / size.y};
    error = RunBlock(shape, index, is_shuffled, body, argument);
  }
  WITH_TSAN(__tsan_acquire(&launch_order);)
  return error;
}

unsigned ThreadIndex(int which) {
  const Block& b = *block;
  const Extent& size = which < 9 ? b.shape.threads : b.shape.blocks;
  if (which < 3) return b.current->index[which];
  if (which < 6) return b.index[which - 3];
  const int axis = which % 3;
  return axis == 0 ? size.x : axis == 1 ? size.y : size.z;
}

unsigned LaneNumber() {
  return block->current->number % kLanes;
}

void BlockBarrier() {
  Fiber* const fiber = block->current;
  [[maybe_unused]] char* const order = &block->order[block->meetings % 2];
  WITH_TSAN(__tsan_release(order);)
  fiber->waiting = Waiting::kBlock;
  ++block->arrived;
  SwitchToMain(fiber, false);
  WITH_TSAN(__tsan_acquire(order);)
}

void WarpBarrier(unsigned mask, Collective operation, bool is_second) {
  Fiber* const fiber = block->current;
  if ((mask >> LaneNumber() & 1) == 0) Fail("a lane is not in its own mask");
  fiber->waiting = Waiting::kWarp;
  fiber->mask = mask;
  fiber->operation = static_cast<int>(operation) * 2 + (is_second ? 1 : 0);
  ++fiber->meetings;
  WITH_TSAN(__tsan_release(&fiber->order[fiber->meetings % 2]);)
  SwitchToMain(fiber, false);
  WITH_TSAN(for (char* const met : fiber->met) if (met != nullptr) __tsan_acquire(met);)
}

void Give(std::uint64_t value) {
  block->warps[block->current->number / kLanes].given[LaneNumber()] = value;
}

std::uint64_t Take(unsigned lane) {
  return block->warps[block->current->number / kLanes].given[lane % kLanes];
}

void MayPreempt() {
  if (preempts && Draw() % 4 == 0) SwitchToMain(block->current, false);
}

void Fail(const char* cause) {
  if (block->error == nullptr) block->error = cause;
}

void* DynamicShared() {
  return block->shared[0].data;
}

void* StaticShared(const void* site, std::size_t bytes) {
  for (const SharedArray& array : block->shared) {
    if (array.site == site) return array.data;
  }
  if (block->shared.size() == kSharedArraysMax) std::abort();
  if (!LONGTAIL_SIMT_TSAN) {
    block->shared.push_back(AllocateShared(site, bytes));
  } else {
    const std::size_t size = (bytes + 63) / 64 * 64;
    if (block->static_shared_used + size > kStaticSharedBytes) std::abort();
    block->shared.push_back(
        {.site = site, .data = block->static_shared.data + block->static_shared_used});
    block->static_shared_used += size;
  }
  return block->shared.back().data;
}

}  // namespace simt
