"""Words that name no topic of personal finance."""

from typing import Final

FUNCTION: Final = frozenset(
    """a an the i me my mine we us our you your yours he she it its they them their theirs this
    that these those there here who whom whose what which when where why how much many long
    often far soon old big large small high low early late deep quickly fast is are was were
    am be been being do does did done doing can could should shall will would may might must
    has have had having of in on at to for from by with without about into over under after
    before between during through than then as and or but nor so if whether because while
    until not no yes any some all every each more most less least few fewer very too also just
    only even ever never always usually still again already really exactly actually typically
    generally normally please ok okay well now else other another both either same such up
    down out off per versus vs let's lets s t don't doesn't isn't aren't can't won't shouldn't
    i'm i've i'd what's that's it's there's one ones someone somebody something anything
    everything nothing people person""".split()  # noqa: SIM905 - a list of words is easier to read as words
)
"""Words of grammar."""

GENERIC: Final = frozenset(
    """get gets got getting give gives given go goes going make makes made making take takes
    taken taking keep keeps put use uses used using need needs needed want wants work works
    working happen happens know known tell explain mean means meaning say says said show think
    start starts started begin stop stops change changes changed apply applies applied depend
    depends matter matters help helps cost costs costing charge charged pay pays paid paying
    owe calculate calculated compute computed determine determined count counts qualify
    qualifies eligible allowed allow required require requires cover covers covered include
    includes included last lasts expire expires end ends ending open opened opening close
    closed choose chosen pick decide find found look compare compares compared differ differs
    lose losing gain increase increased increases decrease reduce reduced lower raise raised
    rise rises rising fall falls drop grow grows exceed limit limits limited minimum maximum
    fee fees penalty penalties deadline downside downsides drawback drawbacks disadvantage
    disadvantages advantage advantages benefit benefits pros cons catch risk risks risky safe
    safer safest good better best bad worse worst cheap cheaper cheapest expensive worth
    worthwhile easy easier hard difficult important necessary possible common typical average
    normal usual rule rules exception exceptions requirement requirements condition conditions
    option options alternative alternatives difference differences example examples reason
    reasons point purpose idea way ways thing things step steps kind kinds type types sort
    part parts amount amounts number numbers percent percentage rate rates share value total
    sum size level range figure figures time times year years month months week weeks day days
    date age older younger right wrong true false sure enough detail details case situation
    answer question order next first second third earlier later sooner recommended recommend
    suggest advice advise sensible reasonable realistic tax taxes taxed taxable deductible
    guaranteed insured withdraw withdrawal withdrawals withdrawn early money dollar dollars
    afford sense married single couple couples kids retired contribute contributed
    contributions contribution dependents spouse higher longer shorter smaller once twice
    essential method methods approach approaches account's two three half main major biggest
    suit suits suitable popular prefer preferred saves larger bigger quicker faster slower
    simpler catch-up handle handled treated treat impact affect effect result results stay
    missed miss skip wait waiting rather automatically""".split()  # noqa: SIM905 - a list of words is easier to read as words
)
"""Words that ask about a topic without naming one: "What are the penalties?"."""
