// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.Writer;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.jspecify.annotations.Nullable;

/** The certificate authority of one control plane. Its certificates are valid for a day. */
public final class Certificates {
  private static final Duration VALID = Duration.ofDays(1);
  private static final String ISSUER = "CN=tokenbucket-test-ca";

  private final Path folder;
  private final KeyPair authority;

  Certificates(Path folder, List<String> serverAddresses) throws IOException {
    this.folder = folder;
    this.authority = keys();
    write("ca.crt", certificate(ISSUER, authority, new Extensions(true, null, null)));
    KeyPair serviceAccounts = keys();
    write("service-accounts.key", serviceAccounts.getPrivate());
    write("service-accounts.pub", serviceAccounts.getPublic());
    issueServer("apiserver", "CN=kube-apiserver", serverAddresses);
    issueClient("admin", "O=system:masters,CN=admin");
  }

  /** A context that trusts only the authority of this certificate. */
  static SSLContext trusting(Path authority) {
    try (InputStream in = Files.newInputStream(authority)) {
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      store.setCertificateEntry(
          "ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
      TrustManagerFactory managers =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      managers.init(store);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, managers.getTrustManagers(), null);
      return context;
    } catch (IOException | GeneralSecurityException e) {
      throw new StepFailedException("reading " + authority, e);
    }
  }

  /** A context that serves with this certificate. */
  static SSLContext serving(Path certificate, Path key) {
    char[] password = {};
    try (InputStream in = Files.newInputStream(certificate);
        PEMParser parser = new PEMParser(Files.newBufferedReader(key))) {
      PEMKeyPair pair = (PEMKeyPair) parser.readObject();
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      store.setKeyEntry(
          "server",
          new JcaPEMKeyConverter().getKeyPair(pair).getPrivate(),
          password,
          new Certificate[] {CertificateFactory.getInstance("X.509").generateCertificate(in)});
      KeyManagerFactory managers =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      managers.init(store, password);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(managers.getKeyManagers(), null, null);
      return context;
    } catch (IOException | GeneralSecurityException e) {
      throw new StepFailedException("reading " + certificate, e);
    }
  }

  private record Extensions(
      boolean authority, @Nullable KeyPurposeId purpose, @Nullable GeneralNames names) {}

  /**
   * A file of this authority: {@code ca.crt}, or the name of an issued certificate with .crt or
   * .key.
   */
  public Path file(String name) {
    return folder.resolve(name);
  }

  /** Writes NAME.crt and NAME.key for a server at these addresses. */
  public void issueServer(String name, String subject, List<String> addresses) throws IOException {
    GeneralName[] names =
        addresses.stream()
            .map(address -> new GeneralName(GeneralName.iPAddress, address))
            .toArray(GeneralName[]::new);
    issue(
        name,
        subject,
        new Extensions(false, KeyPurposeId.id_kp_serverAuth, new GeneralNames(names)));
  }

  /** Writes NAME.crt and NAME.key for a client. */
  public void issueClient(String name, String subject) throws IOException {
    issue(name, subject, new Extensions(false, KeyPurposeId.id_kp_clientAuth, null));
  }

  private void issue(String name, String subject, Extensions extensions) throws IOException {
    KeyPair keys = keys();
    write(name + ".crt", certificate(subject, keys, extensions));
    write(name + ".key", keys.getPrivate());
  }

  private X509Certificate certificate(String subject, KeyPair keys, Extensions extensions)
      throws IOException {
    Instant now = Instant.now();
    X509v3CertificateBuilder builder =
        new JcaX509v3CertificateBuilder(
            new X500Name(ISSUER),
            new BigInteger(64, new SecureRandom()),
            Date.from(now.minusSeconds(60)),
            Date.from(now.plus(VALID)),
            new X500Name(subject),
            keys.getPublic());
    try {
      builder.addExtension(
          Extension.basicConstraints, true, new BasicConstraints(extensions.authority()));
      if (extensions.purpose() != null) {
        builder.addExtension(
            Extension.extendedKeyUsage, false, new ExtendedKeyUsage(extensions.purpose()));
      }
      if (extensions.names() != null) {
        builder.addExtension(Extension.subjectAlternativeName, false, extensions.names());
      }
      return new JcaX509CertificateConverter()
          .getCertificate(
              builder.build(
                  new JcaContentSignerBuilder("SHA256withRSA").build(authority.getPrivate())));
    } catch (OperatorCreationException | GeneralSecurityException e) {
      throw new IOException("signing the certificate of " + subject, e);
    }
  }

  private static KeyPair keys() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has RSA", e);
    }
  }

  private void write(String name, Object pem) throws IOException {
    try (Writer out = Files.newBufferedWriter(file(name));
        JcaPEMWriter writer = new JcaPEMWriter(out)) {
      writer.writeObject(pem);
    }
  }
}
