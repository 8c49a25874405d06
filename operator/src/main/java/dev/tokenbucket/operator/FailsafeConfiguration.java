// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator;

import dev.tokenbucket.operator.failsafe.FailsafeSettings;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The failsafe settings in the environment: TOKENBUCKET_FAILSAFE_*. */
@ApplicationScoped
public class FailsafeConfiguration {
  private static final Logger LOG = LoggerFactory.getLogger(FailsafeConfiguration.class);

  private final FailsafeSettings settings;

  FailsafeConfiguration(
      @ConfigProperty(name = "tokenbucket.failsafe.discover", defaultValue = "true")
          boolean discover,
      @ConfigProperty(name = "tokenbucket.failsafe.peers") Optional<List<String>> peers,
      @ConfigProperty(name = "tokenbucket.failsafe.api-servers") Optional<List<String>> apiServers,
      @ConfigProperty(name = "tokenbucket.failsafe.overlay-ports", defaultValue = "4789,8472,6081")
          Optional<List<String>> overlayPorts,
      @ConfigProperty(name = "tokenbucket.failsafe.kubelet-port") Optional<String> kubeletPort) {
    settings =
        FailsafeSettings.parse(
            discover,
            peers.orElse(List.of()),
            apiServers.orElse(List.of()),
            overlayPorts.orElse(List.of()),
            kubeletPort);
    if (!discover && settings.peers().isEmpty()) {
      LOG.warn(
          "failsafe discovery is off and TOKENBUCKET_FAILSAFE_PEERS names no network, so"
              + " a policy on all traffic can cut nodes off from the control plane and their"
              + " overlay; turn discovery on or name the networks");
    }
  }

  FailsafeSettings settings() {
    return settings;
  }
}
