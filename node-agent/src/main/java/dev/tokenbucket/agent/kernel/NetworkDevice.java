package dev.tokenbucket.agent.kernel;

import java.util.List;
import java.util.Optional;

/**
 * An interface of this network namespace and what it stands on.
 *
 * @param altNames further names of the same interface
 * @param type ARPHRD_* of linux/if_arp.h
 * @param kind as the kernel names it, such as {@code vlan} or {@code bond}; empty for hardware
 * @param lower the index of the device beneath, in this namespace
 * @param master the index of the bond, team or bridge that it is a port of
 */
public record NetworkDevice(
    int index,
    String name,
    List<String> altNames,
    int type,
    String kind,
    Optional<Integer> lower,
    Optional<Integer> master) {}
