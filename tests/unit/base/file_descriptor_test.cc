#include "whimbrel/base/file_descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace whimbrel {
namespace {

FileDescriptor Open() { return FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

bool IsOpen(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

TEST(FileDescriptorTest, ClosesWhatItOwnsOnce) {
  int first = -1;
  {
    FileDescriptor fd = Open();
    ASSERT_TRUE(fd);
    first = fd.get();
    FileDescriptor moved(std::move(fd));
    EXPECT_FALSE(fd);  // NOLINT(bugprone-use-after-move): it is none then.
    EXPECT_EQ(moved.get(), first);
    EXPECT_TRUE(IsOpen(first));
  }
  EXPECT_FALSE(IsOpen(first));
}

TEST(FileDescriptorTest, ClosesWhatItHadWhenItGetsAnother) {
  FileDescriptor fd = Open();
  FileDescriptor other = Open();
  const int had = fd.get();
  const int gets = other.get();
  fd = std::move(other);
  EXPECT_FALSE(IsOpen(had));
  EXPECT_EQ(fd.get(), gets);
  fd.Reset();
  EXPECT_FALSE(fd);
  EXPECT_FALSE(IsOpen(gets));
}

TEST(FileDescriptorTest, LeavesWhatItReleasedOpen) {
  int fd = -1;
  {
    FileDescriptor owner = Open();
    fd = owner.Release();
    EXPECT_FALSE(owner);
  }
  EXPECT_TRUE(IsOpen(fd));
  FileDescriptor(fd).Reset();
  EXPECT_FALSE(IsOpen(fd));
}

}  // namespace
}  // namespace whimbrel
