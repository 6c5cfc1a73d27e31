// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Feed } from "./IOracleAdapter.sol";
import { IOracleSetupErrors } from "./IOracleSetupErrors.sol";

/// @title IOracleFactory
/// @notice Makes the oracles of markets, binds each to its one market, and pays keepers (docs/protocol.md §8, §11).
interface IOracleFactory is IOracleSetupErrors {
    /// @notice An oracle was made.
    /// @param oracle its address
    /// @param creator who may open a market on it
    /// @param adapter where its prices come from
    /// @param feeds the price feeds whose product is its price
    event OracleCreated(address indexed oracle, address indexed creator, address indexed adapter, Feed[] feeds);

    /// @notice The owner admitted a provider that this factory did not make.
    /// @param oracle the provider
    event OracleRegistered(address indexed oracle);

    /// @notice A market took its oracle.
    /// @param oracle the oracle
    /// @param market its market, from now on for ever
    event OracleBound(address indexed oracle, address indexed market);

    /// @notice The owner admitted or dismissed a source of prices for new oracles. Oracles in service are not affected.
    /// @param adapter the source
    /// @param admitted whether new oracles may use it
    event AdapterUpdated(address indexed adapter, bool admitted);

    /// @notice The owner replaced the source of an oracle's prices.
    /// @param oracle the oracle
    /// @param adapter the new source
    /// @param feeds its feeds
    /// @param boundary the last version that belongs to the old source
    event ProviderUpdated(address indexed oracle, address indexed adapter, Feed[] feeds, uint256 boundary);

    /// @notice The owner changed the spacing of an oracle's versions.
    /// @param oracle the oracle
    /// @param granularity seconds
    /// @param from the first version after which it applies
    event GranularityUpdated(address indexed oracle, uint256 granularity, uint256 from);

    /// @notice The owner named the MarketFactory, once and for all.
    /// @param marketFactory the only caller of `bind`
    event MarketFactoryUpdated(address indexed marketFactory);

    /// @notice A keeper was paid.
    /// @param market whose versions it committed
    /// @param keeper who committed
    /// @param receiver who received
    /// @param amount in the market's token, 6 decimals
    event KeeperPaid(address indexed market, address indexed keeper, address receiver, uint256 amount);

    /// @notice The owner took the share of oracle fees that is no keeper's.
    /// @param market whose fees
    /// @param receiver who received
    /// @param amount in the market's token, 6 decimals
    event OracleFeePaid(address indexed market, address receiver, uint256 amount);

    /// @notice Neither made nor registered here.
    /// @param oracle what was given
    error OracleUnknown(address oracle);

    /// @notice The oracle has its market already.
    /// @param oracle what was given
    /// @param market its market
    error OracleTaken(address oracle, address market);

    /// @notice Somebody else made this oracle.
    /// @param oracle what was given
    /// @param creator who made it
    /// @param caller who wants to open a market on it
    error OracleOfAnother(address oracle, address creator, address caller);

    /// @notice Made or registered before.
    /// @param oracle what was given
    error OracleKnown(address oracle);

    /// @notice Not an oracle that this factory made, so that there is nothing to configure.
    /// @param oracle what was given
    error OracleNotOwn(address oracle);

    /// @notice The owner has not admitted this source of prices.
    /// @param adapter what was given
    error AdapterUnknown(address adapter);

    /// @notice The zero address, or an address without code, where a contract is needed.
    /// @param account what was given
    error NotContract(address account);

    /// @notice Only the MarketFactory may call.
    /// @param caller who called
    error NotMarketFactory(address caller);

    /// @notice The MarketFactory is set already.
    /// @param marketFactory which
    error MarketFactorySet(address marketFactory);

    /// @notice Not a market that is bound to an oracle of this factory.
    /// @param market what was given
    error MarketUnknown(address market);

    /// @notice The market paid out other than what it accounts for; nothing was changed.
    /// @param market which
    /// @param received what arrived, 6 decimals
    /// @param settlement of which its books call settlement fees, 6 decimals
    error MarketBooksWrong(address market, uint256 received, uint256 settlement);

    /// @notice The factory always has an owner: without, nobody could replace a source of prices or take the oracle fee.
    error OwnerRequired();

    /// @notice Makes a new oracle for one market of the caller's, granularity 10 seconds.
    /// @dev Anyone may call. Reverts with `AdapterUnknown` or an error of the adapter's about the feeds.
    /// @param adapter a source of prices that the owner has admitted
    /// @param feeds one to four feeds; the price is the product of each to its power
    /// @return oracle the new oracle
    function create(address adapter, Feed[] calldata feeds) external returns (address oracle);

    /// @notice Admits any other `IOracleProvider`; whoever creates a market on it first has it.
    /// @dev Owner only. Reverts with `NotContract` or `OracleKnown`.
    /// @param oracle the provider
    function register(address oracle) external;

    /// @notice Gives `oracle` to `market` for good.
    /// @dev Callable by the MarketFactory only, while it creates the market. Reverts with `NotMarketFactory`, `OracleUnknown`,
    ///      `OracleTaken`, or `OracleOfAnother` where `creator` did not make the oracle and the owner did not register it.
    /// @param oracle made or registered here
    /// @param creator who creates the market
    /// @param market the new market
    function bind(address oracle, address creator, address market) external;

    /// @notice Names the MarketFactory, once.
    /// @dev Owner only. Reverts with `NotContract` or `MarketFactorySet`.
    /// @param marketFactory the only caller of `bind`
    function updateMarketFactory(address marketFactory) external;

    /// @notice Admits a source of prices for new oracles, or dismisses it.
    /// @dev Owner only. Reverts with `NotContract`.
    /// @param adapter the source
    /// @param admitted whether new oracles may use it
    function updateAdapter(address adapter, bool admitted) external;

    /// @notice Replaces the source of an oracle's prices (docs/protocol.md §11.7): what is requested by now stays with the old source,
    ///         which serves it or lets it expire; all later versions are the new source's.
    /// @dev Owner only. Reverts with `OracleNotOwn`, `AdapterUnknown`, an error of the new adapter's about the feeds, or an error of the
    ///      oracle's while the hand-over before is not finished.
    /// @param oracle an oracle made here
    /// @param adapter the new source, another than the present one
    /// @param feeds its feeds
    function updateProvider(address oracle, address adapter, Feed[] calldata feeds) external;

    /// @notice Changes the spacing of an oracle's versions from the next version on.
    /// @dev Owner only. Reverts with `OracleNotOwn`, or errors of the oracle's or the adapter's about the bounds.
    /// @param oracle an oracle made here
    /// @param granularity seconds
    function updateGranularity(address oracle, uint256 granularity) external;

    /// @notice Pays the caller the settlement fees of versions that it committed (docs/protocol.md §11.6). Each version pays once, exactly
    ///         what was charged at it. Versions that pay nothing (invalid, without orders, not yet settled by the market, committed by
    ///         somebody else, paid before) are passed over and stay as they are: claim again once they are settled.
    /// @dev Anyone may call for what is its own. Reverts with `MarketUnknown`, or with the market's error where it lacks the tokens.
    /// @param market whose versions
    /// @param versions timestamps; settle the market past them first
    /// @param receiver who receives
    /// @return amount paid, 6 decimals
    function claim(address market, uint256[] calldata versions, address receiver) external returns (uint256 amount);

    /// @notice Pays the owner the oracle fees that are not settlement fees. What keepers are owed stays here for them, however late
    ///         they come. Where the provider was registered, no keeper is known and all of it is the owner's.
    /// @dev Owner only. Reverts with `MarketUnknown`, or with the market's error where it lacks the tokens.
    /// @param market whose fees
    /// @param receiver who receives
    /// @return amount paid, 6 decimals
    function claimOracleFee(address market, address receiver) external returns (uint256 amount);

    /// @notice The market of an oracle.
    /// @param oracle any address
    /// @return its market, zero where it has none
    function marketOf(address oracle) external view returns (address);

    /// @notice Who made an oracle that is not taken yet.
    /// @param oracle any address
    /// @return its creator; zero where it is unknown, registered or taken
    function creatorOf(address oracle) external view returns (address);

    /// @notice Whether new oracles may use a source of prices.
    /// @param adapter any address
    /// @return whether the owner has admitted it
    function isAdapter(address adapter) external view returns (bool);

    /// @notice The only caller of `bind`.
    /// @return its address, zero until set
    function marketFactory() external view returns (address);

    /// @notice Oracle fees of a market that have arrived here and not been paid on, 6 decimals.
    /// @param market any address
    /// @return keepers owed to the keepers of its versions
    /// @return owner_ owed to the owner
    function balances(address market) external view returns (uint256 keepers, uint256 owner_);
}
