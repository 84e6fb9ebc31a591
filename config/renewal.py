"""A machine asks for its own next certificate: the key is made where it stays, and never travels.

What it sends is a request for the same name, signed twice: by the new key (as any request is) and
by the present one, so that it may come by any way, and nobody else can ask in its name. The
authority's key does not stand on the nodes to answer by itself: who broke into a node could then
make any machine he likes. An operator signs, once a year. All pure: files are written elsewhere.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from config.pki import PkiError, identity_of, key_pem

BEGIN: Final = b"-----BEGIN MPOWER SIGNATURE-----\n"
END: Final = b"\n-----END MPOWER SIGNATURE-----\n"
ABOUT: Final = b"mpower renewal 1\n"
"""What the present key says it signs here, so that no other signature of it is taken for this."""
MAX_BYTES: Final = 16_384
"""A request or an answer has under two kilobytes."""
HASH: Final = ec.ECDSA(hashes.SHA256())


def request(certificate: bytes, key: bytes) -> tuple[bytes, bytes]:
    """Make a new key for the machine of this certificate: the request (to send), the key (to
    keep). PkiError if certificate and key do not belong together.
    """
    who, present = identity_of(certificate), private_key(key)
    if present.public_key() != public_key(certificate):
        raise PkiError("the present key does not belong to the present certificate")
    new = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(str(who))])
    leaf = x509.load_pem_x509_certificate(certificate)
    asked = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(leaf.subject)
        .add_extension(names, critical=False)
        .sign(new, hashes.SHA256())
    )
    signed = present.sign(ABOUT + asked.public_bytes(serialization.Encoding.DER), HASH)
    pem = asked.public_bytes(serialization.Encoding.PEM)
    return pem + BEGIN + base64.b64encode(signed) + END, key_pem(new)


def named_in(sent: bytes) -> str:
    """Whose request it says it is; nothing is proven by that."""
    try:
        names = _asked(sent).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound as wrong:
        raise PkiError("the request names nobody") from wrong
    uris = names.value.get_values_for_type(x509.UniformResourceIdentifier)
    if len(uris) != 1:
        raise PkiError("the request does not name exactly one machine")
    return str(uris[0])


def asked_key(sent: bytes, name: str) -> ec.EllipticCurvePublicKey:
    """Give the key that a request asks a certificate for; PkiError unless it is one for this name
    (``mpower:<cluster>/<kind>/<name>``), of the right kind, and signed by itself.
    """
    asked = _asked(sent)
    if named_in(sent) != name:
        raise PkiError("the request is for another machine")
    key = asked.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise PkiError("the request's key is not one of the curve P-256")
    if not asked.is_signature_valid:
        raise PkiError("the request is not signed by its own key")
    return key


def proven(sent: bytes, present: bytes) -> ec.EllipticCurvePublicKey:
    """Give the key that a request asks a certificate for; PkiError unless it was made by who holds
    the key of the ``present`` certificate (PEM), for the same name.
    """
    asked, key = _asked(sent), asked_key(sent, str(identity_of(present)))
    if key == public_key(present):
        raise PkiError("the request is for the present key; a renewal has a new one")
    try:
        coded = sent.partition(BEGIN)[2].partition(END)[0]
        signature = base64.b64decode(coded, validate=True)
        der = asked.public_bytes(serialization.Encoding.DER)
        public_key(present).verify(signature, ABOUT + der, HASH)
    except (InvalidSignature, binascii.Error) as wrong:
        raise PkiError("the request is not signed by the present certificate's key") from wrong
    return key


def check_answer(present: bytes, answer: bytes, key: bytes) -> None:
    """Refuse a certificate that is not the next one of this machine, for the key it made."""
    if identity_of(answer) != identity_of(present):
        raise PkiError(f"the certificate is that of {identity_of(answer)}, another machine")
    if public_key(answer) != private_key(key).public_key():
        raise PkiError("the certificate is for another request than the last one made here")


def public_key(certificate: bytes) -> ec.EllipticCurvePublicKey:
    """The key of a certificate (PEM)."""
    found = x509.load_pem_x509_certificate(certificate).public_key()
    if not isinstance(found, ec.EllipticCurvePublicKey):
        raise PkiError("the certificate's key is not an elliptic-curve key")
    return found


def private_key(key: bytes) -> ec.EllipticCurvePrivateKey:
    """A private key (PEM)."""
    found = serialization.load_pem_private_key(key, None)
    if not isinstance(found, ec.EllipticCurvePrivateKey):
        raise PkiError("the key is not an elliptic-curve key")
    return found


def _asked(sent: bytes) -> x509.CertificateSigningRequest:
    if len(sent) > MAX_BYTES:
        raise PkiError("it is too long for a request")
    try:
        return x509.load_pem_x509_csr(sent.partition(BEGIN)[0])
    except ValueError as wrong:
        raise PkiError("it is no request that 'mpower pki request' made") from wrong
