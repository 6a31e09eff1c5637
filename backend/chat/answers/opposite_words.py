"""Words of finance that have an opposite."""

from typing import Final

_OPPOSITES: Final = [
    tuple(frozenset(side.split()) for side in line.split("|"))
    for line in """
    rise rises rising rose risen increase increases increased increasing grow grows growing \
    grew grown climb climbs climbed up raise raises raised | fall falls falling fell fallen \
    decrease decreases decreased decreasing decline declines declined declining drop drops \
    dropped down lowers reduce reduces reduced reducing shrink shrinks shrank lowered lowering
    high higher highest | low lower lowest
    more most greater | less least fewer
    gain gains gained gaining | lose loses losing lost loss losses
    profit profits | loss losses
    gain gains gained gaining | fall falls falling fell drop drops dropped decline declines declined
    rise rises rising rose increase increases grow grows | lose loses losing lost
    before | after
    buy buys buying bought purchase purchases | sell sells selling sold
    long longer | short shorter
    maximum max | minimum min
    always | never
    early earlier earliest | late later latest
    fixed | adjustable variable floating
    cheap cheaper cheapest | expensive costlier
    asset assets | liability liabilities
    lender lenders | borrower borrowers
    traditional | roth
    debit | credit
    better best | worse worst
    include includes included including cover covers covered | exclude excludes excluded excluding
    allow allows allowed permit permits permitted | forbid forbids forbidden prohibit \
    prohibits prohibited
    safe safer safest | risky riskier riskiest
    fast faster quick quickly | slow slower slowly
    large larger largest big bigger biggest | small smaller smallest
    old older oldest | young younger youngest
    stock stocks share shares equities | bond bonds
    gross | net
    simple | compound
    annual annually yearly | monthly | weekly | daily | quarterly
    taxable taxed | untaxed nontaxable
    revenue revenues sales | expense expenses
    active actively | passive passively
    domestic | foreign international
    public | private
    first | last
    largest biggest | smallest
    debtor | creditor
    landlord | tenant
    front | back
    bull | bear
    above | below
    inside | outside
    same | different
    strong stronger | weak weaker
    rich richer | poor poorer
    highest | lowest
    deductible | nondeductible
    many | few
    much | little
    lot | little
    premium | discount
    within | after
    needs | wants
    improve improves improved improving | worsen worsens worsened worsening deteriorated
    begin begins began begun start starts started | end ends ended stop stops stopped finish \
    finishes finished expire expires expired
    upside | downside
    inflow inflows | outflow outflows
    incoming inbound | outgoing outbound
    beat beats beating outperform outperforms outperformed ahead | behind lag lags lagged \
    trail trails trailed underperform underperforms underperformed
    large big great substantial | small little slight
    steep steeper | gentle slow slower
    with for | against
    employer employers | employee employees member members worker workers staff
    spouse spouses husband wife widow widower | child children son daughter | parent parents
    man men husband male | woman women wife female
    renting renter renters | owning owner owners
    immediate | deferred
    mandatory compulsory required obligatory | optional voluntary
    permanent permanently | temporary temporarily
    secured | unsecured
    strengthen strengthens strengthened | weaken weakens weakened
    tighten tightens tightened tighter | ease eases eased loosen loosened looser
    widen widens widened | narrow narrows narrowed
    accelerate accelerates accelerated | decelerate decelerates decelerated slowed
    appreciate appreciates appreciated | depreciate depreciates depreciated
    overweight | underweight
    surplus | deficit
    deposit deposits | withdrawal withdrawals
    accept accepts accepted approve approves approved | reject rejects rejected deny denies denied
    majority | minority
    winner winners | loser losers
    easy easier easily | hard harder difficult
    legal | illegal
    senior | junior
    protect protects protected | expose exposes exposed
    principal | interest
    import imports | export exports
    """.strip().splitlines()
]
SIDES: Final = {
    word: [
        (group, side)
        for group, sides in enumerate(_OPPOSITES)
        for side, forms in enumerate(sides)
        if word in forms
    ]
    for sides in _OPPOSITES
    for forms in sides
    for word in forms
}


def are_opposite(one: str, other: str) -> bool:
    """Whether two words are opposites of each other."""
    sides = dict(SIDES.get(one, ()))
    return any(group in sides and sides[group] != side for group, side in SIDES.get(other, ()))
