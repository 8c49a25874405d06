// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.host;

import com.google.common.net.InetAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.UnknownHostException;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The name of this node, and whether this process sees the node's network. */
public final class NodePlace {
  private static final Logger LOG = LoggerFactory.getLogger(NodePlace.class);
  private static final String NODE_NAME = "NODE_NAME";

  /** The node's addresses, from the downward API's status.hostIP or status.hostIPs. */
  private static final String HOST_IP = "HOST_IP";

  private NodePlace() {}

  /**
   * The node's name: the given one, otherwise the environment's, otherwise, on a bare host, the
   * host's own.
   *
   * @param given the value of {@code --node-name}
   * @param inPod whether the host's name is a pod's and therefore not a node's
   * @throws IOException if there is no name; the message says what to set
   */
  public static String name(@Nullable String given, Map<String, String> environment, boolean inPod)
      throws IOException {
    if (given != null) {
      return given;
    }
    String set = environment.getOrDefault(NODE_NAME, "");
    if (!set.isEmpty()) {
      return set;
    }
    if (inPod) {
      throw new IOException(
          "the node's name is not known: set "
              + NODE_NAME
              + " in the pod by the downward API (fieldRef: spec.nodeName), or give --node-name");
    }
    try {
      String host = InetAddress.getLocalHost().getHostName();
      LOG.info(
          "using the host's name {} as the node's name; if the node has another name,"
              + " give --node-name",
          host);
      return host;
    } catch (UnknownHostException e) {
      throw new IOException("the host has no name: give --node-name", e);
    }
  }

  /**
   * The obstacle that keeps this process from programming its node, if there is one: in a network
   * namespace of its own, the process would limit a pod.
   */
  public static Optional<String> obstacle(Map<String, String> environment) throws IOException {
    String addresses = environment.getOrDefault(HOST_IP, "").strip();
    if (addresses.isEmpty()) {
      return Optional.empty();
    }
    for (String address : addresses.split(",", -1)) {
      if (!InetAddresses.isInetAddress(address.strip())) {
        throw new IOException(
            HOST_IP + " " + addresses + ": must be an address (fieldRef: status.hostIP)");
      }
      if (NetworkInterface.getByInetAddress(InetAddresses.forString(address.strip())) != null) {
        return Optional.empty();
      }
    }
    return Optional.of(
        "hostNetwork: true is missing: the node's address "
            + addresses
            + " does not exist in the pod's network namespace, so nothing is programmed; set"
            + " hostNetwork: true in the agent's pod");
  }
}
