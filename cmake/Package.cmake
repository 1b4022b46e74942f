# The Debian package: `cpack --config CPackConfig.cmake` in a release build, which `./dev package` does.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "The adit maintainers <maintainers@adit.invalid>")
set(CPACK_SET_DESTDIR ON)  # so that what is installed knows where it will be
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_ADIT_SOURCES ${CMAKE_SOURCE_DIR})
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/packaging/deb/stage.cmake)

set(CPACK_DEBIAN_PACKAGE_RELEASE 1 CACHE STRING "Which package of this version")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_PACKAGE_DESCRIPTION "adit runs on the machine that faces the internet, speaks WireGuard to a machine
at home, and hands what arrives on a public port to a service behind the
tunnel, without kernel module, packet filter rules or IP forwarding.
.
It also takes wireguard-go's place for wg and wg-quick.")
# Its own user, by systemd-sysusers; deb-systemd-invoke.
set(CPACK_DEBIAN_PACKAGE_DEPENDS
    "init-system-helpers (>= 1.52), systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS wireguard-tools)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_SOURCE_DIR}/packaging/deb/postinst ${CMAKE_SOURCE_DIR}/packaging/deb/prerm
    ${CMAKE_SOURCE_DIR}/packaging/deb/postrm)
include(CPack)
