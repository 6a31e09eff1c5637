"""Dialogues whose last question depends on the one before, or changes the topic.

The rule in `follow_up.py` was written to fit `BUILDING`. `HELD_OUT` was written afterwards and
only measures the rule: do not fit the rule to it. Each dialogue has the id of the sample document
that answers its last question.
"""

from typing import Final, NamedTuple


class Dialogue(NamedTuple):
    """Two questions, and whether the second one depends on the first."""

    first: str
    second: str
    document: str
    depends: bool


def _of(depends: bool, *rows: tuple[str, str, str]) -> tuple[Dialogue, ...]:
    return tuple(Dialogue(first, second, document, depends) for first, second, document in rows)


_FIRST: Final = (
    *_of(
        True,
        ("What is an emergency fund?", "How large should it be?", "emergency-fund"),
        ("How do bonds work?", "Are they safer than shares?", "bonds"),
        ("What is a target-date fund?", "What does one cost?", "target-date-funds"),
        ("How does a Roth account work?", "And a traditional one?", "roth-vs-traditional"),
        ("Should I refinance my mortgage?", "When is that worthwhile?", "mortgage-refinance"),
        ("What is an annuity?", "What are the disadvantages?", "annuities"),
        ("How is a credit score made?", "How can I improve it?", "credit-score"),
        ("How much term life insurance do I need?", "And for how long?", "term-life-insurance"),
        ("What is an employer match?", "How much is it worth?", "employer-match"),
        ("What is the 50/30/20 budget?", "What if my rent is higher?", "budget-50-30-20"),
        ("What is dollar cost averaging?", "Does that beat a lump sum?", "dollar-cost-averaging"),
        ("How do student loans get repaid?", "Which is better?", "student-loans"),
        ("What is a health savings account?", "Who may have one?", "health-savings-account"),
        ("What is the 4 percent rule?", "Why?", "withdrawal-rate"),
        ("How does tax-loss harvesting work?", "What is the catch?", "tax-loss-harvesting"),
        ("What is an expense ratio?", "What about index funds?", "index-funds"),
    ),
    *_of(
        False,
        ("How do bonds work?", "What is an emergency fund?", "emergency-fund"),
        ("What is inflation?", "How is a credit score calculated?", "credit-score"),
        (
            "How large should an emergency fund be?",
            "Is it better to rent or buy a home?",
            "rent-or-buy",
        ),
        ("What is an annuity?", "How do I save for my child's college?", "college-savings"),
        (
            "How is a credit score made?",
            "Should I refinance my mortgage now?",
            "mortgage-refinance",
        ),
        (
            "Should I refinance?",
            "What is a Roth account and how does it differ from a traditional one?",
            "roth-vs-traditional",
        ),
        ("What is rebalancing?", "Do I need a will if I have children?", "estate-planning"),
        (
            "How are capital gains taxed?",
            "Thanks. Now a different question: what is a zero-based budget?",
            "zero-based-budget",
        ),
        (
            "What is a mortgage?",
            "How much life insurance should a parent buy?",
            "term-life-insurance",
        ),
        (
            "How do index funds work?",
            "Which debts should I pay off first, the small ones or the expensive ones?",
            "debt-avalanche-snowball",
        ),
        ("How do I budget?", "Explain compound interest", "compound-interest"),
        (
            "What is a will?",
            "Are there penalties for withdrawing from a retirement account early?",
            "retirement-accounts",
        ),
        ("What does insurance cover?", "How often should I rebalance my portfolio?", "rebalancing"),
        (
            "What is a deductible?",
            "Does diversification protect against a market crash?",
            "diversification",
        ),
        (
            "How do student loans work?",
            "What return do high-yield savings accounts pay?",
            "high-yield-savings",
        ),
        (
            "How much cash should I keep?",
            "What share of stocks should my asset allocation have?",
            "asset-allocation",
        ),
    ),
)

_SECOND: Final = (
    *_of(
        True,
        ("Tell me about high-yield savings accounts.", "Are these insured?", "high-yield-savings"),
        ("What does an index fund do?", "Is there a cheaper alternative to that?", "index-funds"),
        (
            "How should I pay down several debts?",
            "Which of the two methods saves more?",
            "debt-avalanche-snowball",
        ),
        ("What is inflation?", "How do I protect my savings from it?", "inflation"),
        ("Explain compound interest.", "Give me an example", "compound-interest"),
        (
            "How much of my portfolio should be in stocks?",
            "Should that change as I get older?",
            "asset-allocation",
        ),
        ("When does renting make sense?", "And buying?", "rent-or-buy"),
        ("Which documents does an estate plan need?", "Who should write them?", "estate-planning"),
        ("What is a 529 plan?", "Can the money be used for anything else?", "college-savings"),
        (
            "How do I start a zero-based budget?",
            "How long does this take each month?",
            "zero-based-budget",
        ),
        (
            "What interest do credit cards charge?",
            "How do I get rid of such debt?",
            "credit-card-debt",
        ),
        ("Do I need insurance?", "Which kinds are essential?", "insurance-basics"),
        ("What are capital gains?", "Are long-term ones taxed less?", "capital-gains"),
        ("How often should I rebalance?", "Is once a year enough?", "rebalancing"),
        (
            "What is a fixed-rate mortgage?",
            "How does it compare with an adjustable one?",
            "mortgage-basics",
        ),
        (
            "How big should my emergency fund be?",
            "Where should I keep the money?",
            "emergency-fund",
        ),
    ),
    *_of(
        False,
        (
            "How much can I withdraw in retirement?",
            "What does a debt snowball look like?",
            "debt-avalanche-snowball",
        ),
        ("What is a Roth IRA?", "How do I check my credit report for errors?", "credit-score"),
        (
            "Is my savings account insured?",
            "Can losses on shares reduce my tax bill?",
            "tax-loss-harvesting",
        ),
        ("How does a will work?", "What happens to bond prices when interest rates rise?", "bonds"),
        (
            "What is a budget?",
            "I have two kids. How should we save for university?",
            "college-savings",
        ),
        ("How do I choose an index fund?", "Should I buy a house or keep renting?", "rent-or-buy"),
        (
            "How do annuities pay out?",
            "Who can open a health savings account?",
            "health-savings-account",
        ),
        (
            "Do I need an estate plan?",
            "Why do fund fees matter so much over thirty years?",
            "expense-ratio",
        ),
        (
            "What is a good credit score?",
            "How much do I lose if I ignore my employer's match?",
            "employer-match",
        ),
        ("What does term life insurance cost?", "How does inflation affect my cash?", "inflation"),
        (
            "How do I repay student loans?",
            "What is the idea behind target-date funds?",
            "target-date-funds",
        ),
        (
            "Should I refinance?",
            "Let's talk about investing a lump sum versus monthly amounts",
            "dollar-cost-averaging",
        ),
        (
            "What is diversification?",
            "How do lenders decide the size of a mortgage?",
            "mortgage-basics",
        ),
        (
            "How does compound interest work?",
            "What percentage of income goes to wants in a 50/30/20 budget?",
            "budget-50-30-20",
        ),
        (
            "What are capital gains?",
            "If my car insurance has a deductible, how high should it be?",
            "insurance-basics",
        ),
        (
            "How do I budget for rent?",
            "Is four percent a safe withdrawal rate for retirees?",
            "withdrawal-rate",
        ),
    ),
)

BUILDING: Final = (*_FIRST, *_SECOND)

HELD_OUT: Final = (
    *_of(
        True,
        ("What do bonds do in a portfolio?", "Do they lose value when rates go up?", "bonds"),
        ("Tell me about student loans.", "Can those be forgiven?", "student-loans"),
        (
            "How should I size my emergency fund?",
            "I am self-employed. Does this change anything?",
            "emergency-fund",
        ),
        ("What is a target-date fund?", "Who is it for?", "target-date-funds"),
        ("Should I buy an annuity?", "What would be the alternatives?", "annuities"),
        ("How much is an employer match worth?", "So should I always take it?", "employer-match"),
        (
            "How is my credit score worked out?",
            "How quickly will it recover after a late payment?",
            "credit-score",
        ),
        ("What is the debt avalanche?", "And the snowball?", "debt-avalanche-snowball"),
        ("How do health savings accounts work?", "Any tax advantages?", "health-savings-account"),
        (
            "Is a 15-year mortgage better than a 30-year one?",
            "What about adjustable rates?",
            "mortgage-basics",
        ),
        ("What is dollar cost averaging?", "How does its return compare?", "dollar-cost-averaging"),
        ("What fees do funds charge?", "Why do they matter?", "expense-ratio"),
        ("How do I make a 50/30/20 budget?", "Which part is for saving?", "budget-50-30-20"),
        (
            "What is term life insurance?",
            "How much would a young couple need of it?",
            "term-life-insurance",
        ),
        ("How can I save for college?", "For two children?", "college-savings"),
        ("What is the four per cent rule?", "Does it still work?", "withdrawal-rate"),
    ),
    *_of(
        False,
        (
            "What do bonds do in a portfolio?",
            "How do I protect my purchasing power from inflation?",
            "inflation",
        ),
        (
            "Tell me about student loans.",
            "When is refinancing a mortgage worth the closing costs?",
            "mortgage-refinance",
        ),
        (
            "How should I size my emergency fund?",
            "How is profit from selling shares taxed?",
            "capital-gains",
        ),
        (
            "What is a target-date fund?",
            "Which is better, a Roth or a traditional account?",
            "roth-vs-traditional",
        ),
        ("Should I buy an annuity?", "How do I get out of credit card debt?", "credit-card-debt"),
        (
            "How much is an employer match worth?",
            "What goes into a will and a power of attorney?",
            "estate-planning",
        ),
        (
            "How is my credit score worked out?",
            "Why do people recommend index funds?",
            "index-funds",
        ),
        (
            "What is the debt avalanche?",
            "Can I sell a losing investment and deduct it?",
            "tax-loss-harvesting",
        ),
        (
            "How do health savings accounts work?",
            "How many stocks make a diversified portfolio?",
            "diversification",
        ),
        (
            "Is a 15-year mortgage better?",
            "Do you know how zero-based budgeting works?",
            "zero-based-budget",
        ),
        (
            "What is dollar cost averaging?",
            "Okay, and how do high-yield savings accounts work?",
            "high-yield-savings",
        ),
        (
            "What fees do funds charge?",
            "At what age can I take money out of a 401(k) without a penalty?",
            "retirement-accounts",
        ),
        (
            "How do I make a budget?",
            "How should my mix of stocks and bonds shift with age?",
            "asset-allocation",
        ),
        (
            "What is term life insurance?",
            "Does money double faster when interest compounds?",
            "compound-interest",
        ),
        (
            "How can I save for college?",
            "My portfolio has drifted; when should I rebalance it?",
            "rebalancing",
        ),
        (
            "What is the four per cent rule?",
            "What insurance does a family need?",
            "insurance-basics",
        ),
    ),
)
