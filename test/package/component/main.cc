// Starts and ends: that it links is what is tested.
#include "longtail/ids.h"

int main() {
  return static_cast<int>(longtail::Key{0});
}
