#include "whimbrel/cli/main.h"

int main(int argc, char** argv) { return whimbrel::cli::Main(argc, argv); }
