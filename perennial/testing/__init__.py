"""What tests of several kinds share: benches that deploy a part of the protocol beside mocks of the rest."""
