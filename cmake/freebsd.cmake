# Cross-compiles for FreeBSD on amd64 with clang and lld, against a directory that has FreeBSD's headers and libraries,
# and those of its packages under usr/local: ADIT_SYSROOT, or FREEBSD_SYSROOT in the environment.
set(CMAKE_SYSTEM_NAME FreeBSD)
set(CMAKE_SYSTEM_VERSION 15.1)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

set(ADIT_SYSROOT "$ENV{FREEBSD_SYSROOT}" CACHE PATH "FreeBSD's headers and libraries")
if(NOT EXISTS "${ADIT_SYSROOT}/usr/include/osreldate.h")
  message(FATAL_ERROR "no FreeBSD in '${ADIT_SYSROOT}': set ADIT_SYSROOT or FREEBSD_SYSROOT")
endif()
# CMake also reads this file in small projects of its own, which must know the directory, too.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ADIT_SYSROOT)
set(CMAKE_SYSROOT "${ADIT_SYSROOT}")

# 19 is what FreeBSD 15.1 itself has.
find_program(ADIT_CLANG NAMES clang-19 clang-20 clang-21 clang REQUIRED)
find_program(ADIT_CLANGXX NAMES clang++-19 clang++-20 clang++-21 clang++ REQUIRED)
set(CMAKE_C_COMPILER "${ADIT_CLANG}")
set(CMAKE_CXX_COMPILER "${ADIT_CLANGXX}")
set(CMAKE_C_COMPILER_TARGET x86_64-unknown-freebsd15.1)
set(CMAKE_CXX_COMPILER_TARGET x86_64-unknown-freebsd15.1)
set(CMAKE_CXX_FLAGS_INIT "-stdlib=libc++")
foreach(kind EXE SHARED MODULE)
  set(CMAKE_${kind}_LINKER_FLAGS_INIT "-fuse-ld=lld -L${ADIT_SYSROOT}/usr/local/lib")
endforeach()

# Nothing of this machine is found, but for programs that the build runs.
set(CMAKE_FIND_ROOT_PATH "${ADIT_SYSROOT}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${ADIT_SYSROOT}")
set(ENV{PKG_CONFIG_LIBDIR} "${ADIT_SYSROOT}/usr/local/libdata/pkgconfig:${ADIT_SYSROOT}/usr/local/lib/pkgconfig:${ADIT_SYSROOT}/usr/libdata/pkgconfig")

# The programs do not run here: what tests they have is asked where they do.
set(CMAKE_GTEST_DISCOVER_TESTS_DISCOVERY_MODE PRE_TEST)
