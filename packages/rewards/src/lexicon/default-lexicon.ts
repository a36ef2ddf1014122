import type { Lexicon } from './lexicon.js'

/** Common English words by how good or bad what they say is: a small lexicon of our own, for experiments without a file. */
const byValence: readonly (readonly [number, string])[] = [
  [3, 'amazing awesome beautiful best brilliant delight delighted excellent fantastic love loved lovely loves'],
  [3, 'loving marvellous marvelous perfect perfectly superb terrific wonderful wonderfully'],
  [2, 'admire admired beauty brave bravely celebrate celebrated charming cheerful comfort comfortable cozy cosy cute'],
  [2, 'enjoy enjoyed enjoying enjoys excited exciting friend friendly friends friendship fun funny generous gentle'],
  [2, 'gently gift giggle giggled glad gladly good grateful great happily happiness happy honest hug hugged hugs joke'],
  [
    2,
    'joy joyful kind kindly kindness laugh laughed laughing laughs magical nice nicely peace peaceful playful pleasant',
  ],
  [2, 'pleased pleasure polite politely praise praised pretty prize proud proudly recommend reward safe safely smile'],
  [
    2,
    'smiled smiles smiling special splendid success succeed succeeded sunny sweet sweetly thank thanked thankful thanks',
  ],
  [2, 'treasure treat trust warm warmly welcome win winner wins won wow yay'],
  [1, 'able accept agree agreed better bright calm calmly careful carefully cared caring clean clever clear correct'],
  [
    1,
    'curious easy eager fair favourite favorite fine free fresh healthy help helped helpful helping helps hope hopeful',
  ],
  [
    1,
    'improve improved interesting learn like liked likes lucky useful okay please ready relax relaxed rich share shared',
  ],
  [1, 'sharing shiny smart soft strong sure surprise surprised tasty true well worth yes yummy'],
  [-1, 'alone bored boring broken confused cry cried cries crying dark difficult dirty doubt dull fault'],
  [
    -1,
    'forget forgot grumpy hard hurry ill jealous late lazy leave lonely lose loses losing loss lost messy miss missed',
  ],
  [-1, 'missing mistake nervous problem problems rough selfish shy sick silly slow sorry strange stuck tired trouble'],
  [-1, 'unable unclear unsure useless weak weird worried worry wrong'],
  [
    -2,
    'afraid anger angrily angry annoyed annoying ashamed attack bad badly bitter blame cheat cheated complain crash',
  ],
  [-2, 'danger dangerous disappointed disappointing disappointment disgust enemy fail failed fails failure fear fight'],
  [
    -2,
    'fighting fought frightened frightening fool foolish greedy guilty harm hurt hurts insult lie lied lies lying mad',
  ],
  [
    -2,
    'mean naughty nasty pain painful panic poor punish punished rude rudely ruin ruined sad sadly sadness scared scary',
  ],
  [-2, 'scream screamed shame shout shouted steal stole stupid suffer threat ugly unfair unhappy unkind upset wicked'],
  [
    -3,
    'abuse awful brutal cruel cruelly dead death despair destroy destroyed die died disaster disgusting dreadful evil',
  ],
  [
    -3,
    'hate hated hates hateful hatred horrible horribly horrid kill killed kills miserable murder nightmare terrible',
  ],
  [-3, 'terribly terror terrified torture tragedy tragic vile violence violent worst'],
]

export const defaultLexicon: Lexicon = new Map(
  byValence.flatMap(([valence, words]) => words.split(' ').map((word) => [word, valence] as const)),
)
