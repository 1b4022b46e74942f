# adit_room(NAME SOURCES file... OFF_THE_PATH file... LINKS target...)
#
# A room is one static library, adit_NAME, that links only what its place in the house permits: a call to a room that
# is not to its right does not link, and tests/include_directions holds the #include lines to the same order.
# OFF_THE_PATH: those of its files that adit_off_the_path() is for, if not all are.
get_filename_component(ADIT_ROOT ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)

function(adit_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;OFF_THE_PATH;LINKS" ${ARGN})
  add_library(adit_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(adit_${name} PUBLIC ${ADIT_ROOT})
  target_link_libraries(adit_${name} PUBLIC ${ROOM_LINKS})
  if(ROOM_OFF_THE_PATH)
    add_library(adit_${name}_off_the_path OBJECT ${ROOM_OFF_THE_PATH})
    target_include_directories(adit_${name}_off_the_path PUBLIC ${ADIT_ROOT})
    target_link_libraries(adit_${name}_off_the_path PUBLIC ${ROOM_LINKS})
    adit_off_the_path(adit_${name}_off_the_path)
    target_sources(adit_${name} PRIVATE $<TARGET_OBJECTS:adit_${name}_off_the_path>)
  endif()
endfunction()

# adit_off_the_path(TARGET): no packet passes through it, so a debug build does not optimise it: with sanitizers that takes
# the compiler longer than all the rest.  Fuzzers want it fast.
function(adit_off_the_path target)
  if(NOT ADIT_FUZZ)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Debug>:-O0>)
  endif()
endfunction()

# adit_apart(file...): each is compiled alone also where CMAKE_UNITY_BUILD has the compiler read several files of a room as
# one (the asan preset, of whose time that saves half): it has names of its own that others have, too.
function(adit_apart)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# adit_test(ROOM SOURCES file... LINKS target...): the tests of one room, one program, each TEST a ctest of its own.  What
# all of them read takes the compiler a quarter of its time, and is compiled once.
function(adit_test room)
  cmake_parse_arguments(TEST "" "" "SOURCES;LINKS" ${ARGN})
  if(TARGET house_test)
    set(precompiled REUSE_FROM house_test)
  else()
    set(precompiled PRIVATE <gtest/gtest.h> <algorithm> <chrono> <filesystem> <functional> <map> <random> <span>)
  endif()
  add_executable(${room}_test ${TEST_SOURCES})
  target_link_libraries(${room}_test PRIVATE ${TEST_LINKS} GTest::gtest_main)
  target_compile_definitions(${room}_test PRIVATE ADIT_SOURCE_DIR="${ADIT_ROOT}")
  adit_off_the_path(${room}_test)
  target_precompile_headers(${room}_test ${precompiled})
  gtest_discover_tests(${room}_test TEST_PREFIX "${room}/" DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120)
endfunction()
