#include "bench/other_load.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <sstream>
#include <string>

namespace longtail::bench {

// Lines "cpuN user nice system idle iowait irq softirq steal …", in clock ticks.
OtherLoad::Sample OtherLoad::Now() {
  constexpr std::size_t kColumns = 8;
  constexpr std::size_t kIdle = 3;
  constexpr std::size_t kIoWait = 4;
  cpu_set_t mine;
  CPU_ZERO(&mine);
  sched_getaffinity(0, sizeof(mine), &mine);
  const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
  Sample sample;
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("cpu", 0) != 0 || line.size() < 4 || line[3] == ' ') continue;
    std::istringstream words(line.substr(3));
    std::size_t core = 0;
    words >> core;
    if (core >= CPU_SETSIZE || !CPU_ISSET(core, &mine)) continue;
    for (std::size_t column = 0; column < kColumns; ++column) {
      double ticks = 0;
      words >> ticks;
      sample.all += ticks * tick;
      if (column != kIdle && column != kIoWait) sample.busy += ticks * tick;
    }
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  for (const timeval& time : {usage.ru_utime, usage.ru_stime}) {
    sample.own += static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  }
  return sample;
}

void OtherLoad::Start() {
  begin_ = Now();
}

void OtherLoad::Stop() {
  const Sample end = Now();
  sum_.all += end.all - begin_.all;
  sum_.busy += end.busy - begin_.busy;
  sum_.own += end.own - begin_.own;
}

double OtherLoad::share() const {
  return sum_.all > 0 ? std::clamp((sum_.busy - sum_.own) / sum_.all, 0.0, 1.0) : 0.0;
}

}  // namespace longtail::bench
