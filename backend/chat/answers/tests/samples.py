"""Passages and honest completions, in eight forms, for the tests of the checker."""

from chat.answers.passages import Passage

_TEXTS = {
    "emergency-fund": (
        "How large an emergency fund should be",
        """\
An emergency fund is money set aside for costs that cannot be planned: a lost job, a broken boiler,
a medical bill. Its purpose is to keep a bad month from becoming debt.

A common size for an emergency fund is three to six months of essential expenses. Essential expenses
are rent or mortgage, food, utilities, insurance, transport and minimum debt payments; holidays and
restaurants do not count. A household with two secure incomes can hold nearer to three months. A
self-employed person, a single earner or somebody in a cyclical industry does better with six months
or more.

Keep the fund where it can be reached within a day or two and where its value does not fall: a
savings account or a money market fund, not shares. A person who also carries expensive debt usually
starts with a small emergency fund of about one month of expenses, pays off the debt, and then
builds the fund to its full size.

After the fund has been used, refilling it comes before new investing.""",
    ),
    "credit-card-debt": (
        "What credit card debt costs",
        """\
Credit card interest is charged on any balance that is carried past the due date. Typical annual
rates lie between 18 and 28 per cent, and the interest is compounded daily. A balance of 5,000 at 22
per cent costs about 1,100 in interest in a year if nothing is repaid.

The minimum payment is set so low that most of it is interest. Repaying a balance by minimum
payments alone can take more than twenty years. Raising the payment by a fixed sum each month
shortens that time dramatically.

Somebody who pays the statement balance in full each month pays no interest at all, thanks to the
grace period between the purchase and the due date. Cash advances have no grace period and carry an
extra fee.

A balance transfer to a card with a promotional rate can help, provided that the transfer fee, often
three to five per cent, is smaller than the interest saved and that the debt is repaid before the
promotion ends. Pay off credit card debt before you invest beyond an employer match.""",
    ),
    "withdrawal-rate": (
        "How much can be withdrawn in retirement",
        """\
A retiree who draws too much runs out of money, and one who draws too little lives more poorly than
necessary. The four per cent rule is the best-known guide: withdraw four per cent of the portfolio
in the first year of retirement, and then the same amount adjusted for inflation. In studies of
American market history, a portfolio of half shares and half bonds survived thirty years of such
withdrawals in nearly all cases.

The rule has limits. It assumes thirty years; somebody who retires at 45 needs a lower rate, about 3
to 3.5 per cent. It ignores fees and taxes. It was found in the history of one successful country.

The order of returns matters: a crash in the first five years does far more damage than one later,
because shares are sold while they are low. Keeping two years of spending in cash and short bonds
softens this. Flexible rules, which skip the inflation adjustment after a bad year or cap
withdrawals at a percentage of the current portfolio, allow a higher start.""",
    ),
    "bonds": (
        "What bonds do in a portfolio",
        """\
A bond is a loan to a government or a company. The issuer pays interest, called the coupon, and
returns the principal at maturity. Bonds swing less than shares and give a portfolio stability and
income.

Bond prices move against interest rates. When rates rise, existing bonds with lower coupons lose
value, and when rates fall they gain. Duration measures how much: a bond fund with a duration of six
years loses about six per cent when rates rise by one percentage point. Short-term bonds move
little, long-term bonds a lot.

Credit risk is the danger that the issuer does not pay. Government bonds of stable countries have
little of it and pay little more than inflation. High-yield bonds pay more and behave partly like
shares in a crisis. Inflation-protected bonds adjust their principal to consumer prices.

Match the duration of bonds to the time at which the money is needed. A bond held to maturity
returns its face value whatever happened to its price before.""",
    ),
    "mortgage-basics": (
        "Fixed and adjustable mortgages",
        """\
A mortgage is a loan secured by a house. With a fixed-rate mortgage the interest rate, and so the
payment, stays the same for the whole term, usually fifteen or thirty years. With an adjustable-rate
mortgage it is fixed for a first period, often five or seven years, and then follows a reference
rate within caps.

A fixed rate costs a little more at the beginning and buys certainty. An adjustable rate can suit a
buyer who is sure to move or repay before the first adjustment.

In the early years nearly all of each payment is interest. On 300,000 at 6.5 per cent over thirty
years the monthly payment is about 1,896, of which 1,625 is interest in the first month. A fifteen-
year term has a higher payment but less than half of the total interest.

Lenders commonly want total debt payments below 36 to 43 per cent of gross income. A deposit under
twenty per cent usually brings private mortgage insurance, which can be cancelled once enough has
been repaid. Compare offers by annual percentage rate, which includes fees.""",
    ),
    "expense-ratio": (
        "What an expense ratio takes away",
        """\
The expense ratio is the yearly cost of a fund, as a percentage of the money in it. It is taken out
of the fund's assets day by day, so no bill ever arrives. An expense ratio of 0.75 per cent on
40,000 costs 300 a year.

The effect grows with time, because the fee also takes the returns that the money would have earned.
Suppose 100,000 grows at six per cent before costs for thirty years. At 0.05 per cent it becomes
about 566,000; at one per cent it becomes about 432,000. The difference is roughly 134,000.

Compare the expense ratio of a fund with others that hold the same things: 0.03 to 0.10 per cent is
usual for broad stock index funds, 0.4 to 1.0 per cent for active ones. Other costs stand beside it:
sales loads when buying, trading commissions, an adviser's fee, and the taxes that a fund's trading
causes. Of everything that can be known about a fund in advance, its cost is the best guide to its
later return relative to its peers.""",
    ),
    "retirement-accounts": (
        "Kinds of retirement accounts",
        """\
Retirement accounts give tax advantages in exchange for rules about contributions and withdrawals.
In the United States the main kinds are the workplace plan, such as a 401(k) or 403(b), and the
individual retirement account, or IRA.

Workplace plans have high contribution limits, are paid from the salary, and often come with an
employer match. The choice of funds is the employer's. An IRA is opened by the saver at any broker,
has a much lower limit and a free choice of funds. Self-employed people can use a SEP IRA or a solo
401(k).

Withdrawals before the age of fifty-nine and a half usually cost income tax and a penalty of ten per
cent, with exceptions such as disability or, within limits, a first home. From the age of 73 owners
of traditional accounts must take required minimum distributions.

A usual order is: workplace plan up to the full match, then an IRA, then the rest of the workplace
plan, then a taxable account. When changing jobs, roll an old plan over directly from institution to
institution.""",
    ),
    "employer-match": (
        "Taking the whole employer match",
        """\
Many employers add to what their staff pay into a retirement plan. A common formula matches fifty
per cent of the employee's contributions up to six per cent of salary. On a salary of 60,000, paying
in 3,600 then brings another 1,800.

The employer match is part of the wage, and it is lost when the contribution is too low. An
immediate return of fifty or a hundred per cent is more than any debt costs and more than any fund
earns. For that reason most orders of priority put contributing enough to get the full match
directly after a small emergency fund, and before paying off debt faster or investing elsewhere.

Read the plan's vesting schedule. Under cliff vesting the employer's part belongs to the employee
only after, say, three years; under graded vesting a share vests each year. Somebody who thinks of
changing jobs should know the next vesting date. The employee's own contributions are always fully
vested. Some plans match each payroll, so contributing the year's maximum by summer can forfeit the
match of autumn.""",
    ),
    "inflation": (
        "What inflation does to savings",
        """\
Inflation is the rise of the general level of prices. At three per cent a year prices double in
about twenty-four years, and money in a drawer loses half of its purchasing power in that time.

What counts for a saver is the real return: the nominal return less inflation. A savings account
that pays four per cent while prices rise by five loses one per cent a year in real terms, although
the balance grows.

Assets react to inflation differently. Cash loses slowly but surely. Long-term bonds with fixed
coupons lose most when inflation comes as a surprise. Inflation-protected bonds, whose principal
follows the consumer price index, keep their purchasing power. Shares have outpaced inflation over
long periods, though not in every decade. A fixed-rate mortgage becomes easier to carry, since the
payment stays while wages rise.

In planning, use real numbers throughout: assume a real return of four to five per cent for shares
and about one per cent for bonds, and state goals in today's money.""",
    ),
    "capital-gains": (
        "How capital gains are taxed",
        """\
A capital gain is the difference between the price at which an asset is sold and its cost basis,
what was paid for it. Tax is due when the gain is realised by a sale, not while the price rises.

In the United States the holding period decides the rate. A gain on something held for one year or
less is short-term and is taxed like wages. A gain on something held for more than a year is long-
term and is taxed at 0, 15 or 20 per cent, depending on income. Waiting a few weeks to cross the
one-year line can halve the tax.

Losses offset gains of the same year without limit, and up to 3,000 dollars of other income; what is
left is carried forward. Shares that are inherited usually get a new basis at the date of death, so
that the gain of a lifetime is never taxed.

Choose which lots to sell. Selling the shares with the highest basis first realises the smallest
gain. Inside retirement accounts sales cause no capital gains tax at all.""",
    ),
    "roth-vs-traditional": (
        "Roth or traditional retirement account",
        """\
Contributions to a traditional retirement account are deducted from taxable income now, and
withdrawals in retirement are taxed as income. Contributions to a Roth account are made from taxed
income, and qualified withdrawals, growth included, are tax-free.

If the tax rate were the same at both times, the result would be the same. So the choice between
Roth and traditional is a guess about tax rates: a Roth is better when the rate in retirement will
be higher than today's, a traditional account when it will be lower. People early in their career or
in a year with little income often favour the Roth; people in their years of highest earnings often
favour the traditional account.

Other differences count too. A Roth account in the United States has no required minimum
distributions for its owner, and the contributions, though not the growth, can be withdrawn at any
time without tax. Income limits apply to direct Roth IRA contributions. Holding both kinds gives
freedom to choose each year's taxable income in retirement.""",
    ),
    "term-life-insurance": (
        "Term or whole life insurance",
        """\
Term life insurance pays a sum if the insured dies within a fixed term, usually ten to thirty years,
and nothing otherwise. It is cheap: a healthy thirty-five-year-old may pay about 30 a month for
500,000 over twenty years.

Whole life insurance lasts until death and builds a cash value. It costs roughly ten times as much
for the same sum. Part of the premium pays commissions, and the cash value usually grows slowly;
surrender in the first years often returns less than was paid in. It has uses in estate planning for
large fortunes and for a dependant who will need care for life. For most families the advice is to
buy term and invest the difference.

How much? A simple estimate is ten to twelve times the yearly income. A better one adds the debts,
the income to be replaced until the youngest child is independent, and education costs, and
subtracts savings. The term should end when others no longer depend on the income. Somebody without
dependants needs no life insurance.""",
    ),
    "student-loans": (
        "Repaying student loans",
        """\
Student loans differ in ways that decide how to repay them. Federal loans in the United States have
fixed rates, income-driven plans, deferment in hardship and forgiveness programmes. Private loans
have few of these protections, and their rates depend on credit.

An income-driven plan sets the payment as a share of discretionary income and forgives what is left
after twenty or twenty-five years. Public Service Loan Forgiveness cancels the rest after ten years
of payments while working for a government or a non-profit employer.

Refinancing with a private lender can lower the rate of somebody with a good credit score and a
secure job. It gives up the federal protections for good, so federal loans should be refinanced only
when those will surely not be needed.

For loans below about five per cent it is reasonable to pay on schedule and invest alongside; for
loans above seven or eight per cent, extra payments are the better use of money. In either case take
the employer match first. Tell the servicer in writing that extra payments go to the principal of
the loan with the highest rate.""",
    ),
    "health-savings-account": (
        "Health savings accounts",
        """\
A health savings account, or HSA, is open to Americans with a high-deductible health plan. It has
three tax advantages, which no other account combines: contributions are deductible, growth is not
taxed, and withdrawals for qualified medical expenses are tax-free.

The money does not expire. Unlike a flexible spending account, an HSA keeps its balance from year to
year and goes with its owner to a new job. Many providers let the balance above a threshold be
invested in funds.

Those who can afford it pay medical bills from their pocket, keep the receipts, and let the HSA grow
for decades; expenses can be reimbursed at any later time. After the age of 65 money can be taken
out for anything and is then taxed like a traditional retirement account. Before that age a
withdrawal for other purposes costs income tax and a penalty of twenty per cent.

An HSA makes sense only if the high-deductible plan suits the family's health. Compare premiums,
deductibles and the out-of-pocket maximum first.""",
    ),
    "compound-interest": (
        "How compound interest works",
        """\
Compound interest is interest on interest. In the first year a deposit earns interest; in the second
year the deposit and that interest both earn, and so on. Growth is slow at the beginning and steep
at the end.

The rule of 72 gives a quick estimate: divide 72 by the yearly rate in per cent to get the years in
which money doubles. At six per cent it doubles in about twelve years, at nine per cent in about
eight.

Time matters more than the amount. A person who invests 3,000 a year from age 25 to 35 and then
stops has, at seven per cent, about 338,000 at age 65. A person who invests 3,000 a year from 35 to
65 has about 303,000, although three times as much was paid in.

The same arithmetic works against borrowers. Unpaid credit card interest is added to the balance and
bears interest itself, which is why expensive debt grows so fast when only the minimum is paid.""",
    ),
    "mortgage-refinance": (
        "When refinancing a mortgage pays",
        """\
To refinance is to replace a mortgage by a new one, usually at a lower interest rate. The new loan
has closing costs of two to five per cent of the amount, so the lower payment must first earn these
back.

The break-even time is the closing costs divided by the monthly saving. With costs of 6,000 and a
saving of 200 a month it is thirty months. Refinancing pays if the owner will keep the house and the
loan clearly longer than that.

Watch the term. Replacing a loan that has twenty-two years left by a new one of thirty lowers the
payment even at the same rate, and can raise the total interest. Ask for a term that matches what is
left, or go on paying the old amount.

A cash-out refinance borrows more than is owed and pays out the difference. It turns home equity
into debt secured by the house, and using it to clear credit cards helps only if the cards are not
filled again. Refinancing from an adjustable to a fixed rate can be worth its cost for the certainty
alone.""",
    ),
    "acme-2023": (
        "Acme Corp annual report 2023, consolidated statements of income",
        """\
Consolidated statements of income (in millions, except per share amounts)

| Year ended December 31 | 2023 | 2022 | 2021 |
|---|---|---|---|
| Total revenue | $1,250 | $1,100 | $980 |
| Cost of sales | 700 | 640 | 590 |
| Gross profit | 550 | 460 | 390 |
| Operating expenses | 410 | 395 | 360 |
| Net income (loss) | 96 | (12) | 21 |
| Earnings (loss) per share | $1.92 | $(0.24) | $0.42 |
| Gross margin (%) | 44.0 | 41.8 | 39.8 |

Revenue grew 13.6 per cent in 2023, driven by the cloud segment. Operating cash flow was $180
million
in 2023, compared with $140 million in 2022.""",
    ),
    "limits-2025": (
        "Contribution limits for 2025",
        """\
In 2025 the limit for contributions to an IRA is $7,000, and people aged 50 or older may add $1,000.
The limit for a 401(k) is $23,500 in 2025; the catch-up for those aged 50 or older is $7,500.""",
    ),
    "limits-2024": (
        "Contribution limits for 2024",
        """\
In 2024 the limit for contributions to an IRA is $7,000, and people aged 50 or older may add $1,000.
The limit for a 401(k) is $23,000 in 2024; the catch-up for those aged 50 or older is $7,500.""",
    ),
    "fund-comparison": (
        "Comparison of three funds",
        """\
Returns and costs of the funds as of 30 June 2024.

| Fund | One-year return | Five-year return | Expense ratio |
|---|---|---|---|
| Global Equity Fund | 18.2% | 10.1% | 0.20% |
| Government Bond Fund | 2.4% | -0.6% | 0.15% |
| Balanced Fund | 11.3% | 6.2% | 0.35% |

The Global Equity Fund holds 1,480 companies. The minimum investment is EUR 2,500 for every
fund.""",
    ),
    "segments": (
        "Segment results",
        """\
The cloud segment earned $620 million in 2023 and $480 million in 2022. The hardware segment earned
$630 million in 2023 and $620 million in 2022. Cloud margins rose by 150 basis points to 31 per
cent,
while hardware margins fell by two percentage points to 12 per cent. The company employs 4,200
people.""",
    ),
}

DATES = {"limits-2025": "2025-01-01", "limits-2024": "2024-01-01", "acme-2023": "2023-12-31"}


def passage(name: str) -> Passage:
    """Return a passage of the samples by its document's name."""
    title, text = _TEXTS[name]
    return Passage(f"{name}#0", name, text, title=title, as_of=DATES.get(name), score=0.5)


def passages(*names: str) -> list[Passage]:
    """Return passages in the order in which the completion numbers them."""
    return [passage(name) for name in names]


# Form, question, passages, completion. Every unit is true of the passages.
HONEST: list[tuple[str, str, tuple[str, ...], str]] = [
    (
        "prose",
        "How large should an emergency fund be?",
        ("emergency-fund", "credit-card-debt"),
        "Most households should aim for three to six months of essential expenses "
        "[emergency-fund#0]. If both "
        "partners earn a secure income, roughly three months is enough [emergency-fund#0]. The "
        "self-employed and "
        "single earners are better off with 6 months or more [emergency-fund#0].",
    ),
    (
        "prose",
        "Where do I keep my emergency fund?",
        ("emergency-fund", "bonds"),
        "Keep it somewhere you can get at within one or two days and that does not lose value, "
        "such as a savings "
        "account or money market fund rather than shares [1]. Once you have used it, top it up "
        "again before "
        "making new investments [1].",
    ),
    (
        "list",
        "What counts as essential expenses?",
        ("emergency-fund",),
        "Essential expenses include:\n\n- rent or mortgage payments [1]\n- food and utilities "
        "[1]\n- insurance and "
        "transport [1]\n- minimum payments on debts [1]\n\nHolidays and eating at restaurants "
        "are not counted [1].",
    ),
    (
        "steps",
        "I have debt and no savings. In which order?",
        ("emergency-fund", "employer-match", "credit-card-debt"),
        "Here is a sensible order:\n\n1. Build a small emergency fund of about one month's "
        "expenses [emergency-fund#0].\n"
        "2. Contribute enough to get the full employer match [employer-match#0].\n3. Pay off "
        "the expensive debt "
        "[emergency-fund#0].\n4. Build the emergency fund up to its full size [emergency-fund#0].",
    ),
    (
        "comparison",
        "Roth or traditional?",
        ("roth-vs-traditional", "retirement-accounts"),
        "**Traditional:** contributions are deducted from your taxable income today, and "
        "withdrawals in retirement "
        "are taxed as income [1].\n\n**Roth:** contributions come from income that has been "
        "taxed already, and "
        "qualified withdrawals are tax-free, including growth [1].\n\nA Roth is the better "
        "choice if your tax rate "
        "will be higher in retirement, while a traditional account wins if it will be lower [1].",
    ),
    (
        "hedged",
        "How much can I withdraw?",
        ("withdrawal-rate",),
        "The best-known guideline is the 4% rule: you withdraw 4% of your portfolio in the "
        "first year and then adjust "
        "that amount for inflation [1]. It is only a guide, though: it assumes thirty years "
        "and ignores fees and taxes "
        "[1]. Someone retiring at 45 may need a lower rate of about 3–3.5% [1].",  # noqa: RUF001
    ),
    (
        "question",
        "What is the best account?",
        ("retirement-accounts",),
        "It depends. Workplace plans have high contribution limits and often include an "
        "employer match [1]. An IRA has "
        "a much lower limit but lets you choose funds freely [1]. Does your employer offer a plan?",
    ),
    (
        "partial",
        "What is the 401(k) limit, and its history?",
        ("limits-2025", "limits-2024"),
        "For 2025, the 401(k) limit is $23,500 [limits-2025#0]. In 2024 it was $23,000 "
        "[limits-2024#0]. The documents "
        "do not say what the limits were before that.",
    ),
    (
        "table",
        "How did Acme do?",
        ("acme-2023", "segments"),
        "| | 2023 | 2022 |\n|---|---|---|\n| Total revenue | $1,250 million | $1,100 million |"
        "\n| Gross profit | $550 "
        "million | $460 million |\n| Net income (loss) | $96 million | $(12) million |"
        "\n\nSource: [acme-2023#0]",
    ),
    (
        "prose",
        "How did Acme do in 2023?",
        ("acme-2023", "segments"),
        "Acme's revenue was $1,250 million in 2023, up 13.6% on the year before [1]. It made a "
        "net profit of $96 million, "
        "after a loss of $12 million in 2022 [1]. Operating cash flow came to $180 million "
        "[1]. The cloud segment earned "
        "$620 million [2], and its margin rose by 150 basis points to 31% [2].",
    ),
    (
        "comparison",
        "Compare the funds",
        ("fund-comparison", "expense-ratio"),
        "| Fund | One-year return | Expense ratio |\n|---|---|---|\n| Global Equity Fund | "
        "18.2% | 0.20% [1] |\n| "
        "Government Bond Fund | 2.4% | 0.15% [1] |\n| Balanced Fund | 11.3% | 0.35% [1] |"
        "\n\nThe Global Equity Fund had "
        "the highest one-year return, 18.2% [1]. You need at least EUR 2,500 to invest in any "
        "of them [1].",
    ),
    (
        "prose",
        "Is the employer match worth it?",
        ("employer-match",),
        "Yes. A common formula adds 50% of what the employee contributes, up to 6% of salary "
        "[1]. With a salary of 60,000, "
        "contributing 3,600 brings an additional 1,800 from the employer [1]. That is why the "
        "match usually comes before "
        "paying off debt faster [1]. Also check the vesting schedule: under cliff vesting, the "
        "employer's share is yours "
        "only after, for example, three years [1].",
    ),
    (
        "prose",
        "What do fees cost?",
        ("expense-ratio",),
        "An expense ratio of 0.75% on 40,000 costs 300 per year [1]. Over thirty years, "
        "100,000 growing at 6% before costs "
        "becomes about 566,000 with costs of 0.05%, but only about 432,000 with 1% [1]. The "
        "gap is about 134,000 [1].",
    ),
    (
        "list",
        "What should I know about bonds?",
        ("bonds", "inflation"),
        "Key points:\n\n* Bonds fluctuate less than shares and provide stability and income "
        "[bonds#0]\n* When interest "
        "rates rise, existing bonds with lower coupons lose value [bonds#0]\n* A fund with a "
        "duration of six years loses "
        "about 6% if rates go up by one percentage point [bonds#0]\n* Inflation-protected "
        "bonds keep their purchasing "
        "power [inflation#0]",
    ),
    (
        "hedged",
        "What about early withdrawals?",
        ("retirement-accounts", "roth-vs-traditional"),
        "Withdrawals before age 59½ usually trigger income tax plus a 10% penalty, although "
        "there are exceptions such as "
        "disability [1]. Owners of traditional accounts must begin taking required minimum "
        "distributions at 73 [1]. A "
        "Roth account has no required minimum distributions for its owner [2].",
    ),
    (
        "steps",
        "How do I choose between term and whole life?",
        ("term-life-insurance",),
        "1. Estimate the need: a simple estimate is ten to twelve times your yearly income "
        "[1].\n2. Add debts and "
        "education costs, and subtract savings [1].\n3. Choose a term that ends when nobody "
        "depends on your income any "
        "more [1].\n4. Compare prices: whole life costs about ten times as much for the same "
        "sum [1].",
    ),
    (
        "question",
        "Should I refinance?",
        ("mortgage-refinance", "mortgage-basics"),
        "Refinancing pays off if you stay in the house and keep the loan clearly longer than "
        "the break-even time [1]. The "
        "break-even time is the closing costs divided by what you save each month [1]. With "
        "costs of 6,000 and a saving of "
        "200 per month, that is 30 months: 6,000 / 200 = 30 [1]. How long do you plan to stay?",
    ),
    (
        "prose",
        "How are capital gains taxed?",
        ("capital-gains",),
        "Tax is due when you realise the gain by selling, not while the price goes up [1]. In "
        "the U.S., gains on assets "
        "held for a year or less are short-term and taxed like wages [1]. Long-term gains are "
        "taxed at 0, 15 or 20 per "
        "cent depending on income [1]. Losses can offset up to 3,000 dollars of other income [1].",
    ),
    (
        "prose",
        "Is an HSA good?",
        ("health-savings-account",),
        "An HSA combines three tax advantages: contributions are deductible, growth is "
        "untaxed, and withdrawals for "
        "qualified medical expenses are tax-free [1]. The money does not expire [1]. After 65 "
        "you can withdraw for any "
        "purpose and pay tax as with a traditional retirement account [1]. Before that age, "
        "withdrawals for other purposes "
        "cost income tax and a 20% penalty [1].",
    ),
    (
        "partial",
        "What student loan plans are there?",
        ("student-loans",),
        "Income-driven plans base the payment on discretionary income and forgive the "
        "remainder after 20 or 25 years [1]. "
        "Public Service Loan Forgiveness cancels the balance after ten years of payments while "
        "you work for a government "
        "or non-profit employer [1]. I could not find anything about application deadlines in "
        "the passages.",
    ),
    (
        "list",
        "How does compound interest work?",
        ("compound-interest",),
        "There are two main ideas:\n\n1. **Interest on interest**: in the second year both the "
        "deposit and the first "
        "interest earn interest [1].\n2. **The rule of 72**: divide 72 by the yearly rate to "
        "see in how many years money "
        "doubles; at 6% that is about 12 years, at 9% about 8 [1].",
    ),
    (
        "prose",
        "How expensive is card debt?",
        ("credit-card-debt",),
        "Typical annual rates are between 18% and 28%, compounded daily [1]. A balance of "
        "5,000 at 22% costs around 1,100 of "
        "interest in a year if you repay nothing [1]. Making only the minimum payments can "
        "take over twenty years [1]. If "
        "you pay the full statement balance every month, you pay no interest thanks to the "
        "grace period [1].",
    ),
    (
        "comparison",
        "How do cloud and hardware compare?",
        ("segments", "acme-2023"),
        "Cloud earned $620 million in 2023 against $480 million in 2022 [1], whereas hardware "
        "earned $630 million in 2023 "
        "against $620 million the year before [1]. Cloud margins increased by 150 basis points "
        "to 31%, while hardware "
        "margins declined by 2 percentage points to 12% [1].",
    ),
    (
        "hedged",
        "What does a mortgage of 300,000 cost?",
        ("mortgage-basics",),
        "At 6.5% over thirty years, the monthly payment on 300,000 is about 1,896, of which "
        "1,625 is interest in the first "
        "month [1]. Lenders generally want total debt payments to stay below 36 to 43% of "
        "gross income [1]. With a deposit "
        "of less than 20% you usually have to pay private mortgage insurance, which can be "
        "cancelled later [1]. This is "
        "general information, not individual advice.",
    ),
    (
        "table",
        "Give me the limits as a table",
        ("limits-2025", "limits-2024"),
        "Here are the limits:\n\n| Account | 2024 | 2025 |\n|---|---|---|\n| IRA | $7,000 [2] |"
        " $7,000 [1] |\n| 401(k) | "
        "$23,000 [2] | $23,500 [1] |\n",
    ),
]
