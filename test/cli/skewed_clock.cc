// The system's clock, off by LONGTAIL_TEST_SKEW seconds: a library that a test has a program load
// before all others, so that its machine seems to have another clock.
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>

#include <cstdlib>

namespace {

time_t Skew() {
  const char* const seconds = std::getenv("LONGTAIL_TEST_SKEW");
  return seconds == nullptr ? 0 : std::atol(seconds);
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) {
  using Real = int (*)(clockid_t, timespec*);
  static const auto real = reinterpret_cast<Real>(dlsym(RTLD_NEXT, "clock_gettime"));
  const int result = real(clock, time);
  if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += Skew();
  return result;
}

extern "C" int gettimeofday(timeval* time, void* zone) {
  using Real = int (*)(timeval*, void*);
  static const auto real = reinterpret_cast<Real>(dlsym(RTLD_NEXT, "gettimeofday"));
  const int result = real(time, zone);
  if (result == 0) time->tv_sec += Skew();
  return result;
}
