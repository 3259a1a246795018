#include <cstdio>

int main() {
  std::puts("hakobu");
  return 0;
}
